import { describe, expect, it } from '@jest/globals';
import type { Reservation, StockOfSku } from '@onepool/contracts';
import { type AuditResult, type MoveFact, Recorder, audit } from '@onepool/simulator-domain';
import { boundExpiries } from './bound-expiries.ts';
import type { CallRecord } from './call-record.ts';
import { planFlashSale } from './plan.ts';
import { outcomeOf, readHistory } from './read-history.ts';

const plan = planFlashSale({ run: 'a1', seed: 1, buyers: 10, units: 2, durationSeconds: 10 });
const { sku } = plan;
const node = plan.nodes[0]!.node;
const none = { confirmed: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0, broken: 0 };

const reservation = (id: string, released = 0): Reservation => ({
  id,
  owner: 'prn_load22222222',
  channel: plan.channels[0]!.channel,
  status: released > 0 ? 'closed' : 'held',
  version: 1 + released,
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: null,
  lines: [
    {
      id: '1',
      sku,
      requested: 1,
      granted: 1,
      backings: [{ node, kind: 'stock', held: 1 - released, ...none, released }],
    },
  ],
});
const call = (kind: CallRecord['kind'], id: string, fromMs: number, change: Partial<CallRecord>): CallRecord => ({
  kind,
  id,
  fromMs,
  untilMs: fromMs + 10,
  statuses: [409],
  codes: ['stock.insufficient'],
  body: null,
  ...change,
});
const granted = (id: string, fromMs: number): CallRecord =>
  call('hold', id, fromMs, { statuses: [201], codes: [null], body: reservation(id) });
const refused = (id: string, fromMs: number): CallRecord => call('hold', id, fromMs, {});

/** The audit of a sale of `units` units at one node, told by these calls. */
function auditOf(units: number, records: readonly CallRecord[], moves: readonly MoveFact[] = []): AuditResult {
  const recorder = new Recorder();
  const movements = [{ type: 'receipt' as const, sku, node, quantity: units }];
  recorder.movement({ id: 'stock', interval: { fromMs: 0, untilMs: 1 }, movements, outcome: 'applied' });
  readHistory(records, plan, recorder);
  const history = recorder.history();
  const stocks: StockOfSku[] = [];
  const bounded = boundExpiries(moves, history.holds, 2);
  return audit({ history, moves: bounded, confirmFacts: [], stocks });
}

describe('the audit of what k6 wrote', () => {
  it('finds nothing when the units went to the first buyers', () => {
    const { findings } = auditOf(2, [granted('b1', 10), granted('b2', 15), refused('b3', 40)]);
    expect(findings).toEqual([]);
  });

  it('finds a unit that was promised twice', () => {
    expect(auditOf(1, [granted('b1', 10), granted('b2', 15)]).oversold).toBe(1);
  });

  it('finds a buyer who was refused although a unit was there', () => {
    expect(auditOf(2, [granted('b1', 10), refused('b2', 40)]).undersold).toBe(1);
  });

  it('lets a later buyer have a unit that was given back', () => {
    const release = call('release', 'b1', 30, { statuses: [200], codes: [null], body: reservation('b1', 1) });
    expect(auditOf(1, [granted('b1', 10), release, granted('b2', 50)]).findings).toEqual([]);
    expect(auditOf(1, [granted('b1', 10), granted('b2', 15), release]).oversold).toBe(1);
  });

  it('finds a buyer who was refused a unit whose hold was overdue, however late the expiry is told', () => {
    const told: MoveFact = {
      reservation: 'b1',
      version: 2,
      recordedAtMs: 9_000,
      receivedAtMs: 9_000,
      sku,
      node,
      quantity: 1,
    };
    expect(auditOf(1, [granted('b1', 10), refused('b2', 3_000)], [told]).undersold).toBe(1);
    expect(auditOf(1, [granted('b1', 10), refused('b2', 1_000)], [told]).undersold).toBe(0);
  });
});

describe('readHistory', () => {
  it('asks for every call to be looked up that may yet have taken effect', () => {
    const recorder = new Recorder();
    const records = [
      call('hold', 'never answered', 1, { statuses: [0, 0], codes: [null, null] }),
      call('hold', 'refused after a cut attempt', 1, { statuses: [0, 409], codes: [null, 'stock.insufficient'] }),
      call('hold', 'refused', 1, {}),
      call('hold', 'busy, then refused', 1, {
        statuses: [503, 409],
        codes: ['service.overloaded', 'stock.insufficient'],
      }),
    ];
    const open = readHistory([...records, granted('granted', 1)], plan, recorder);
    expect(open.map(({ id }) => id)).toEqual(['never answered', 'refused after a cut attempt']);
    expect(recorder.failures).toEqual([]);
  });

  it('counts an answer that no correct client gets', () => {
    const recorder = new Recorder();
    readHistory([call('hold', 'b1', 1, { statuses: [400], codes: ['request.invalid'] })], plan, recorder);
    expect(recorder.failures).toEqual([{ id: 'b1', answer: '400 request.invalid' }]);
  });
});

describe('outcomeOf', () => {
  it.each([
    [[201], [null], 'done'],
    [[0, 201], [null, null], 'done'],
    [[409], ['stock.insufficient'], 'refused'],
    [[409], ['idempotency.mismatch'], 'failed'],
    [[404], [null], 'failed'],
    [[0], [null], 'unanswered'],
    [[503, 503], ['outcome.unknown', 'service.unavailable'], 'unanswered'],
    [[429], [null], 'unanswered'],
  ])('%j %j is %s', (statuses, codes, kind) => {
    expect(outcomeOf({ statuses, codes }).kind).toBe(kind);
  });
});
