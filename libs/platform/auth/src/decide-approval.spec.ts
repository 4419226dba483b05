import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ApprovalRefusal, type Doer, decideApproval } from './decide-approval.ts';

const [TILL, CONSOLE, ANNA, BERT] = ['prn_till22222222', 'prn_console22222', 'prn_anna22222222', 'prn_bert22222222'];
const by = (id: string, person: string | null = null): Doer => ({ id, person });
const [SAME, PERSON] = ['approval.same_person', 'approval.person_required'] as const;

describe('an approval', () => {
  it.each<[string, Doer, Doer, ApprovalRefusal['code'] | null]>([
    ['by another person with a key of her own is good', by(ANNA, ANNA), by(BERT, BERT), null],
    ['by another person at the same console is good', by(CONSOLE, ANNA), by(CONSOLE, BERT), null],
    ['by another person at another console is good', by(TILL, ANNA), by(CONSOLE, BERT), null],
    ['by a person of what a service asked for by itself is good', by(TILL), by(TILL, ANNA), null],
    ['by whoever asked is refused', by(ANNA, ANNA), by(ANNA, ANNA), SAME],
    ['by whoever asked is refused at the same console', by(CONSOLE, ANNA), by(CONSOLE, ANNA), SAME],
    ['by whoever asked is refused at another console', by(TILL, ANNA), by(CONSOLE, ANNA), SAME],
    ['by whoever asked is refused with her own key', by(CONSOLE, ANNA), by(ANNA, ANNA), SAME],
    ['by a service by itself is refused', by(CONSOLE, ANNA), by(TILL), PERSON],
    ['by a service by itself is refused of what it asked for on behalf', by(CONSOLE, ANNA), by(CONSOLE), PERSON],
  ])('%s', (_title, requestedBy, approvedBy, code) => {
    expect(decideApproval({ requestedBy, approvedBy })?.code ?? null).toBe(code);
  });

  it.each<[string, Doer, Doer, ApprovalRefusal['code'] | null]>([
    ['by another service is good', by(TILL, ANNA), by(CONSOLE), null],
    ['by the service that asked is refused, whoever was behind it', by(TILL, ANNA), by(TILL), PERSON],
    ['by whoever asked is refused', by(TILL, ANNA), by(CONSOLE, ANNA), SAME],
  ])('that is not for people alone, %s', (_title, requestedBy, approvedBy, code) => {
    expect(decideApproval({ requestedBy, approvedBy, human: false })?.code ?? null).toBe(code);
  });

  const doer = fc.record({
    id: fc.constantFrom(TILL, CONSOLE),
    person: fc.option(fc.constantFrom(ANNA, BERT)),
  });
  const human = fc.boolean();

  it('never depends on whose key a person used', () => {
    fc.assert(
      fc.property(doer, doer, fc.constantFrom(TILL, CONSOLE), human, (requestedBy, approver, id, isHuman) => {
        const approvedBy = { ...approver, person: approver.person ?? ANNA };
        const decided = decideApproval({ requestedBy, approvedBy, human: isHuman });
        expect(decideApproval({ requestedBy, approvedBy: { ...approvedBy, id }, human: isHuman })).toEqual(decided);
      }),
    );
  });

  it('is never by one alone, and never by fewer than it would be if it were not for people', () => {
    fc.assert(
      fc.property(doer, doer, (requestedBy, approvedBy) => {
        for (const isHuman of [true, false])
          expect(decideApproval({ requestedBy, approvedBy: requestedBy, human: isHuman })).not.toBeNull();
        if (decideApproval({ requestedBy, approvedBy, human: false }))
          expect(decideApproval({ requestedBy, approvedBy, human: true })).not.toBeNull();
      }),
    );
  });
});
