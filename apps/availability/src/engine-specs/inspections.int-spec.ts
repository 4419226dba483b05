/** Where units that arrive go, and how those that wait for approval get it, through SQL and two replicas. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type {
  HoldRequest,
  Inspection,
  JudgeInspections,
  JudgedInspection,
  ReceiptPolicyChange,
  ReceiptRequest,
  StockRow,
} from '@onepool/contracts';
import { type Answer, Housekeeping, InspectionReads, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { act, codeOf, done, hold, move, readsOf, record, sale } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let one: StockEngine;
let other: StockEngine;
beforeEach(async () => {
  pool = await createPoolFixture(2, 3);
  [one, other] = [pool.engine(), pool.engine()];
});
afterEach(async () => {
  const broken = await brokenLaws(pool.dataSource);
  await pool.close();
  expect(broken).toEqual([]);
});

type Judgement = JudgeInspections['judgements'][number];
type Line = ReceiptRequest['lines'][number];

const policy = async (policy: string, change: Partial<ReceiptPolicyChange> = {}): Promise<void> => {
  const put = { policy, to: 'quality_control' as const, ...change };
  expect(await pool.catalog.putReceiptPolicies([put])).toMatchObject({ ok: true });
};
const arrived = (sku: string, node: string, quantity: number): Line => ({ sku, node, quantity });
const arrive = async (id: string, lines: readonly Line[], more: Partial<ReceiptRequest> = {}, on = one) =>
  done(await on.receive(SPEC, { id, source: 'wms', lines: [...lines], ...more }));
const row = async (node = 'n1', sku = 'sku1'): Promise<StockRow | undefined> =>
  (await readsOf(other).stock(sku)).rows.find((found) => found.node === node);
const waitingFor = async (more: { sku?: string; node?: string; overdue?: boolean } = {}): Promise<Inspection[]> => {
  const page = { open: true, limit: 100, nodes: 'all' as const, ...more };
  return [...done(await new InspectionReads(one).inspections(page)).items];
};
const idOf = async (sku = 'sku1'): Promise<string> => (await waitingFor({ sku }))[0]?.id ?? '';
const judge = async (engine: StockEngine, id: string, judgements: readonly Judgement[]) =>
  done(await engine.judge(SPEC, { id, judgements: [...judgements] }));
const judgeOne = async (engine: StockEngine, id: string, judgement: Judgement): Promise<Answer<JudgedInspection>> =>
  (await judge(engine, id, [judgement]))[0]!;
/** A hold of one line that may wait. */
const wait = (engine: StockEngine, id: string, quantity: number, more: Partial<HoldRequest> = {}) =>
  engine.hold(SPEC, { id, channel: 'web', lines: [{ sku: 'sku1', quantity, mayWait: true }], ...more });
const kindsOf = async (id: string): Promise<unknown[]> =>
  (await readsOf(one).reservation({ ...SPEC }, id)).lines
    .flatMap(({ backings }) => backings)
    .flatMap(({ kind, node, held }) => (held > 0 ? [[kind, node, held]] : []));

describe('units that arrive', () => {
  it('are for sale where no policy says otherwise', async () => {
    expect(await arrive('grn', [arrived('sku1', 'n1', 5)])).toMatchObject({ lines: [{ served: 0, late: false }] });
    expect([await row(), await waitingFor()]).toMatchObject([{ available: 5, qualityControl: 0 }, []]);
  });

  it('go where the policy of their node and reason says, line by line', async () => {
    await policy('returns', { reasons: ['return'] });
    await policy('trusted', { nodes: ['n2'], reasons: ['return'], to: 'available' });
    const lines = [arrived('sku1', 'n1', 5), arrived('sku1', 'n2', 4)];
    const { lines: told } = await arrive('grn-1', lines, { reason: 'return' });
    expect(told.map(({ toInspect }) => toInspect)).toEqual([5, undefined]);
    await arrive('grn-2', lines, { reason: 'purchase' });
    expect(await row('n1')).toMatchObject({ available: 5, qualityControl: 5, onHand: 10 });
    expect(await row('n2')).toMatchObject({ available: 8, qualityControl: 0 });
    expect(await waitingFor()).toMatchObject([
      { sku: 'sku1', node: 'n1', origin: 'receipt', command: 'grn-1', line: 1, reason: 'return', quantity: 5, open: 5 },
    ]);
    expect(codeOf(await hold(other, 'shopper', [['sku1', 14]]))).toBe('stock.insufficient');
  });

  it('follow a policy from its answer on, in a replica that has received before it was set, and until it is lifted', async () => {
    await arrive('before', [arrived('sku1', 'n1', 1)], {}, other);
    await policy('all', { nodes: ['n1'] });
    await arrive('during', [arrived('sku1', 'n1', 2)], {}, other);
    await policy('all', { to: 'none' });
    await arrive('after', [arrived('sku1', 'n1', 4)], {}, other);
    expect(await row()).toMatchObject({ available: 5, qualityControl: 2 });
  });

  it('are damaged if they are said to be, and of the announced ones it is known which they were', async () => {
    await policy('all');
    done(await one.putInbound(SPEC, { id: 'po', lines: [{ id: 'a', sku: 'sku1', node: 'n1', quantity: 10 }] }));
    await arrive('grn', [{ line: 'a', quantity: 10, damaged: 3 }], { inbound: 'po' });
    expect(await row()).toMatchObject({ damaged: 3, qualityControl: 7, available: 0 });
    expect(await waitingFor()).toMatchObject([{ quantity: 7, inbound: 'po', inboundLine: 'a', command: 'grn' }]);
  });

  it('are inspected once, whichever replica is told of them', async () => {
    await policy('all');
    const told = [one, other, one].map((engine) => arrive('grn', [arrived('sku1', 'n1', 5)], {}, engine));
    const [first, ...more] = await Promise.all(told);
    for (const answer of more) expect(answer).toEqual(first);
    expect(await waitingFor()).toHaveLength(1);
  });
});

describe('an inspection', () => {
  it.each<[string, Omit<Judgement, 'inspection'>, object, object]>([
    ['approved whole', { all: 'approved' }, { approved: 8, rejected: 0, open: 0 }, { available: 8, qualityControl: 0 }],
    ['rejected whole', { all: 'rejected' }, { approved: 0, rejected: 8, open: 0 }, { damaged: 8, qualityControl: 0 }],
    ['approved in part', { approved: 3 }, { approved: 3, open: 5 }, { available: 3, qualityControl: 5 }],
    [
      'judged in part either way',
      { approved: 3, rejected: 2 },
      { approved: 3, rejected: 2, open: 3 },
      { available: 3, damaged: 2, qualityControl: 3 },
    ],
  ])('is %s', async (_, said, result, stock) => {
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 8)]);
    const inspection = await idOf();
    const judged = done(await judgeOne(other, 'look', { inspection, ...said } as Judgement));
    expect(judged).toMatchObject({ inspection, sku: 'sku1', node: 'n1', missing: 0, ...result });
    expect(await row()).toMatchObject({ onHand: 8, ...stock });
    const read = done(await new InspectionReads(one).inspection(inspection, 'all'));
    expect(read).toMatchObject({ quantity: 8, ...result });
    expect(read.closedAt === null).toBe(judged.open > 0);
  });

  it.each([
    ['at all nodes', undefined, 'all', ['n1', 'n2']],
    ['at a node', 'n1', 'all', ['n1']],
    ['at the only node at which the reader may work', undefined, ['n2'], ['n2']],
    ['at one of the nodes at which the reader may work', 'n1', ['n1', 'n2'], ['n1']],
    ['at no node where the reader may not work', 'n1', ['n2'], []],
    ['at no node for whom there is none', undefined, [], []],
  ] as const)('is listed %s', async (_, node, within, expected) => {
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 5), arrived('sku1', 'n2', 3)]);
    const nodes = within === 'all' ? within : new Set<string>(within);
    const { items } = done(await new InspectionReads(one).inspections({ node, limit: 9, nodes }));
    expect(items.map((found) => found.node)).toEqual(expected);
  });

  it('is not judged beyond what is open, which the refusal tells, nor once it is closed', async () => {
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 8)]);
    const inspection = await idOf();
    done(await judgeOne(one, 'some', { inspection, approved: 5 }));
    const beyond = { ok: false, rejection: { code: 'inspection.exceeds_open', details: { open: 3 } } };
    expect(await judgeOne(other, 'more', { inspection, approved: 2, rejected: 2 })).toMatchObject(beyond);
    done(await judgeOne(one, 'rest', { inspection, all: 'approved' }));
    expect(codeOf(await judgeOne(other, 'again', { inspection, all: 'rejected' }))).toBe('inspection.exceeds_open');
  });

  it('takes its judgement once, and tells it again; another body under the id is refused', async () => {
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 8), arrived('sku2', 'n1', 2)]);
    const [first, second] = (await waitingFor()).map(({ id }) => id);
    const said: readonly Judgement[] = [
      { inspection: first!, approved: 4 },
      { inspection: second!, all: 'rejected' },
    ];
    const told = await Promise.all([one, other, one].map(async (on) => (await judge(on, 'look', said)).map(done)));
    for (const answer of told) expect(answer).toEqual(told[0]);
    expect([await row(), await row('n1', 'sku2')]).toMatchObject([{ available: 4, qualityControl: 4 }, { damaged: 2 }]);
    const changed = await one.judge(SPEC, { id: 'look', judgements: [said[1]!, said[0]!] });
    expect(codeOf(changed)).toBe('idempotency.mismatch');
    expect(codeOf(await other.judge(SPEC, { id: 'grn', judgements: [said[0]!] }))).toBe('idempotency.mismatch');
  });

  it('is judged among many, each of which has its own result', async () => {
    await policy('all');
    const lines = numbered('sku', 3).flatMap((sku) => [arrived(sku, 'n1', 2), arrived(sku, 'n2', 3)]);
    await arrive('grn', lines);
    const [a, b, c, d] = (await waitingFor()).map(({ id }) => id);
    const results = await judge(one, 'looks', [
      { inspection: a!, all: 'approved' },
      { inspection: b!, approved: 4 },
      { inspection: 'ins_999999', all: 'approved' },
      { inspection: c!, approved: 0, rejected: 1 },
      { inspection: d!, all: 'rejected' },
      { inspection: a!, all: 'approved' },
    ]);
    expect(results.map(codeOf)).toEqual([
      ...[null, 'inspection.exceeds_open', 'inspection.unknown', null, null],
      'inspection.exceeds_open',
    ]);
    expect((await waitingFor()).map(({ open }) => open)).toEqual([3, 1, 2, 3]);
  });

  it('tells as missing what the row has not any more', async () => {
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 8)]);
    const scrapped = { type: 'scrap', sku: 'sku1', node: 'n1', quantity: 5, from: 'quality_control' } as const;
    done(await record(one, 'scrapped', [scrapped]));
    const judged = done(await judgeOne(other, 'look', { inspection: await idOf(), approved: 6, rejected: 2 }));
    expect(judged).toMatchObject({ approved: 1, rejected: 2, missing: 5, open: 0 });
    expect(await row()).toMatchObject({ available: 1, damaged: 2, onHand: 3 });
  });

  it('tells as missing what the node owed before it arrived', async () => {
    done(await record(one, 'oversold', [sale('sku1', 'n1', 3)]));
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 5)]);
    expect(await row()).toMatchObject({ overdrawn: 0, qualityControl: 2 });
    const judged = done(await judgeOne(one, 'look', { inspection: await idOf(), all: 'approved' }));
    expect(judged).toMatchObject({ approved: 2, missing: 3 });
  });

  it('mends broken promises with what it approves, before anything is for sale', async () => {
    await pool.receive('sku1', 'n1', 4);
    done(await hold(one, 'order', [['sku1', 4]]));
    done(await act(one, 'order', 'confirm', {}));
    done(await record(one, 'till', [sale('sku1', 'n1', 3)]));
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 5)]);
    expect(await row()).toMatchObject({ shortfall: 3, qualityControl: 5 });
    done(await judgeOne(other, 'look', { inspection: await idOf(), all: 'approved' }));
    expect(await row()).toMatchObject({ shortfall: 0, committed: 4, available: 2 });
  });
});

describe('what opens an inspection besides receipts', () => {
  it('is a movement that takes units there, from whatever state', async () => {
    await pool.receive('sku1', 'n1', 5);
    const state = { type: 'state', sku: 'sku1', node: 'n1' } as const;
    const movements = [
      { ...state, quantity: 2, from: 'available', to: 'damaged' },
      { ...state, quantity: 1, from: 'damaged', to: 'quality_control' },
      { ...state, quantity: 3, from: 'available', to: 'quality_control', reason: 'leaks' },
    ] as const;
    done(await record(one, 'doubts', [...movements]));
    expect(await waitingFor()).toMatchObject([
      { origin: 'movement', command: 'doubts', line: 2, reason: 'state', open: 1 },
      { origin: 'movement', command: 'doubts', line: 3, reason: 'leaks', open: 3 },
    ]);
  });

  it('is a transfer of such units, at the node where they arrive', async () => {
    await pool.receive('sku1', 'n1', 5);
    const there = { sku: 'sku1', node: 'n1', quantity: 2 } as const;
    done(await record(one, 'doubts', [{ ...there, type: 'state', from: 'available', to: 'quality_control' }]));
    const sent = { ...there, type: 'transfer', toNode: 'n2', from: 'quality_control' } as const;
    done(await record(other, 'sent', [sent]));
    expect(await waitingFor({ node: 'n2' })).toMatchObject([{ origin: 'movement', command: 'sent', open: 2 }]);
    expect(await row('n2')).toMatchObject({ qualityControl: 2, available: 0 });
  });

  it('is a node that refuses units and doubts those that it has left', async () => {
    await pool.receive('sku1', 'n1', 5);
    done(await hold(one, 'order', [['sku1', 2]]));
    done(await act(one, 'order', 'confirm', {}));
    const pinned = { sku: 'sku1', quantity: 2, from: { node: 'n1' }, to: { node: 'n1', fulfilment: 'f1' } };
    done(await move(one, 'order', 2, [pinned]));
    done(await act(other, 'order', 'reject', { fulfilment: 'f1', quantity: 2, effect: 'sellable_only' }));
    expect(await waitingFor()).toMatchObject([{ origin: 'reject', fulfilment: 'f1', quantity: 5, open: 5 }]);
    expect((await waitingFor())[0]).not.toHaveProperty('command');
    expect(await row()).toMatchObject({ qualityControl: 5, available: 0, committed: 0 });
  });
});

describe('approved units', () => {
  it('serve who waits for them, and only the rest is for sale', async () => {
    await pool.catalog.putAllowances([{ allowance: 'a', skus: ['sku1'], cap: 10 }]);
    done(await wait(one, 'backorder', 3));
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 5)]);
    expect(await kindsOf('backorder')).toEqual([['allowance', null, 3]]);
    done(await judgeOne(other, 'look', { inspection: await idOf(), approved: 4, rejected: 1 }));
    expect(await kindsOf('backorder')).toEqual([['stock', 'n1', 3]]);
    expect(await row()).toMatchObject({ available: 1, reserved: 3, damaged: 1 });
  });

  it('go to backorders first, however many shoppers race for them', async () => {
    await pool.catalog.putAllowances([{ allowance: 'a', skus: ['sku1'], cap: 20 }]);
    const backorders = numbered('backorder', 10);
    for (const id of backorders) done(await wait(one, id, 2));
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 25)]);
    const inspection = await idOf();
    const shoppers = numbered('shopper', 32).map((id, place) => hold(place % 2 ? one : other, id, [['sku1', 1]]));
    const judging = judgeOne(other, 'look', { inspection, all: 'approved' });
    const granted = (await Promise.all(shoppers)).filter(({ ok }) => ok).length;
    done(await judging);
    for (const id of backorders) expect(await kindsOf(id)).toEqual([['stock', 'n1', 2]]);
    expect(granted).toBeLessThanOrEqual(5);
    expect(await row()).toMatchObject({ onHand: 25, reserved: 20 + granted, available: 5 - granted, shortfall: 0 });
  });

  it('are approved once by many who judge at once, and never more of them than are open', async () => {
    await policy('all');
    await arrive('grn', [arrived('sku1', 'n1', 10)]);
    const inspection = await idOf();
    const said = numbered('look', 16).map((id, place) =>
      judgeOne(
        place % 2 ? one : other,
        id,
        place % 3 ? { inspection, approved: 1 } : { inspection, approved: 0, rejected: 2 },
      ),
    );
    const judged = (await Promise.all(said)).flatMap((answer) => (answer.ok ? [answer.value] : []));
    const moved = judged.reduce((sum, { approved, rejected }) => sum + approved + rejected, 0);
    const left = (await waitingFor())[0]?.open ?? 0;
    expect([moved + left, left]).toEqual([10, Math.min(left, 1)]);
    expect(await row()).toMatchObject({ onHand: 10, qualityControl: left });
  });
});

describe('units that wait too long for approval', () => {
  const exceptions = async () =>
    (await readsOf(one).exceptions({ limit: 10 })).items.map(({ code, sku, node, quantity, closedAt }) => ({
      ...{ code, sku, node, quantity },
      isClosed: closedAt !== null,
    }));
  const overdue = (node: string, quantity: number, isClosed = false) => ({
    ...{ code: 'inspection.overdue', sku: 'sku1', node, quantity, isClosed },
  });
  const age = (hours: number): Promise<unknown> =>
    pool.dataSource.query('UPDATE inspection SET due_at = due_at - make_interval(hours => $1)', [hours]);
  const look = (engine: StockEngine): Promise<void> => new Housekeeping(engine).once();

  it('are an exception of their SKU and node from their due time on, until they are judged', async () => {
    await policy('all', { inspectWithinHours: 24 });
    await policy('slow', { nodes: ['n2'] });
    await arrive('grn', [arrived('sku1', 'n1', 5), arrived('sku1', 'n1', 2), arrived('sku1', 'n2', 3)]);
    await age(23);
    await look(one);
    expect([await exceptions(), await waitingFor({ overdue: true })]).toEqual([[], []]);
    await age(2);
    for (const engine of [one, other]) await look(engine);
    expect(await exceptions()).toEqual([overdue('n1', 7)]);
    expect(await waitingFor({ overdue: true })).toMatchObject([{ open: 5 }, { open: 2 }]);
    const [first, second] = await waitingFor({ node: 'n1' });
    done(await judgeOne(one, 'some', { inspection: first!.id, approved: 4 }));
    await look(other);
    expect(await exceptions()).toEqual([overdue('n1', 3)]);
    await judge(other, 'rest', [
      { inspection: first!.id, all: 'rejected' },
      { inspection: second!.id, all: 'approved' },
    ]);
    await look(one);
    expect(await exceptions()).toEqual([overdue('n1', 0, true)]);
    expect(
      await pool.dataSource.query(
        `SELECT data->>'subject' AS subject FROM outbox WHERE subject = 'onepool.stock.exception.closed.v1'`,
      ),
    ).toEqual([{ subject: 'stock/sku1/n1' }]);
    await age(24);
    await look(one);
    expect(await exceptions()).toEqual([overdue('n2', 3), overdue('n1', 0, true)]);
  });
});
