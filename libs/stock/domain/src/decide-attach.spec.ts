import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Attachment, attachedToOther, decideAttach } from './decide-attach.ts';
import { isRetryable } from './rejection.ts';
import type { Controller, Reservation } from './reservation.ts';
import { backing, reserved } from './testing/reserved.ts';

const ofShop: Controller = { actor: 'shop', order: 'O1' };
const ask = (over: Partial<Attachment> = {}): Attachment => ({
  expected: null,
  controller: ofShop,
  orderedAt: null,
  priority: null,
  ...over,
});
const free = reserved([backing(1, { held: 1 })]);
const attached = { ...free, controller: ofShop, orderedAt: 5, priority: 2 };

describe('attaching an order', () => {
  it.each<[string, Reservation, Attachment, Controller | null]>([
    ['to what has none', free, ask(), ofShop],
    [
      'in the place of the one that was expected',
      attached,
      ask({ expected: 'O1', controller: { actor: 'shop', order: 'O2' } }),
      { actor: 'shop', order: 'O2' },
    ],
    [
      'of another principal in its place',
      attached,
      ask({ expected: 'O1', controller: { actor: 'till', order: 'O1' } }),
      { actor: 'till', order: 'O1' },
    ],
    ['to nobody: it is let go', attached, ask({ expected: 'O1', controller: null }), null],
    [
      'to what has ended already: whoever asks may confirm it anew',
      reserved([backing(1, { expired: 1 })]),
      ask(),
      ofShop,
    ],
  ])('%s', (_, before, attachment, controller) => {
    expect(decideAttach(before, attachment)).toEqual({
      ok: true,
      value: {
        reservation: { ...before, controller, version: 8 },
        effect: { supplies: new Map(), postings: [] },
        changes: [],
      },
    });
  });

  it.each<[string, Reservation, Attachment, string | null]>([
    ['is attached where none was expected', attached, ask({ controller: { actor: 'shop', order: 'O2' } }), 'O1'],
    ['is attached where another was expected', attached, ask({ expected: 'O9', controller: null }), 'O1'],
    [
      'of the same number of another principal is attached',
      attached,
      ask({ controller: { actor: 'till', order: 'O1' } }),
      'O1',
    ],
    [
      'is not attached where one was expected',
      free,
      ask({ expected: 'O1', controller: { actor: 'shop', order: 'O2' } }),
      null,
    ],
  ])('is refused where an order %s', (_, before, attachment, order) =>
    expect(decideAttach(before, attachment)).toEqual({ ok: false, rejection: { code: 'reservation.attached', order } }),
  );

  it.each([null, 'O1', 'O9'])('is accepted again, whatever is expected, and then changes nothing: %s', (expected) => {
    const again = decideAttach(attached, ask({ expected, orderedAt: 5 }));
    expect(again.ok && again.value.reservation).toBe(attached);
  });

  it('tells the age and the priority of the order, and leaves them where it does not', () => {
    const told = decideAttach(free, ask({ orderedAt: 9, priority: 3 }));
    expect(told.ok && told.value.reservation).toMatchObject({ orderedAt: 9, priority: 3, version: 8 });
    const silent = decideAttach(attached, ask({ expected: 'O1', controller: null }));
    expect(silent.ok && silent.value.reservation).toMatchObject({ orderedAt: 5, priority: 2 });
    const corrected = decideAttach(attached, ask({ priority: 0 }));
    expect(corrected.ok && corrected.value.reservation).toMatchObject({ orderedAt: 5, priority: 0, version: 8 });
  });

  it('lets one of two win who expect the same, unless both attach the same', () => {
    const some = fc.record({ actor: fc.constantFrom('shop', 'till'), order: fc.constantFrom('O1', 'O2') });
    fc.assert(
      fc.property(fc.option(some, { nil: null }), some, some, (before, one, other) => {
        const expected = before?.order ?? null;
        const first = decideAttach({ ...free, controller: before }, ask({ expected, controller: one }));
        if (!first.ok) throw new Error('the first is never refused');
        const second = decideAttach(first.value.reservation, ask({ expected, controller: other }));
        const isSame = one.actor === other.actor && one.order === other.order;
        expect(second.ok).toBe(isSame || one.order === expected);
      }),
    );
  });

  it('is not worth the same try again once refused', () => expect(isRetryable('reservation.attached')).toBe(false));
});

describe('who may act', () => {
  it.each<[string, Controller | null, string, string | null]>([
    ['anybody where no order is attached', null, 'till', null],
    ['who attached the order', ofShop, 'shop', null],
    ['nobody else', ofShop, 'till', 'O1'],
  ])('is %s', (_, controller, actor, order) =>
    expect(attachedToOther({ ...free, controller }, actor)).toEqual(
      order === null ? null : { code: 'reservation.attached', order },
    ),
  );
});
