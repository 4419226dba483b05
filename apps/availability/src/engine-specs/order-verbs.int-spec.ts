/** The verbs that orders need, through real SQL: by example, and each answered again as at first. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import { OTHER_SPEC, type PoolFixture, SPEC, createPoolFixture } from '../testing/pool-fixture.ts';
import { type SpecReads, act, codeOf, done, hold, readsOf } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
let sku: string;
let used = 0;
beforeAll(async () => {
  pool = await createPoolFixture(3, 60);
  [engine, other] = [pool.engine(), pool.engine()];
  reads = readsOf(other);
});
afterAll(async () => {
  const broken = await brokenLaws(pool.dataSource);
  await pool.close();
  expect(broken).toEqual([]);
});
beforeEach(() => {
  sku = `sku${++used}`;
});

const rowOf = async (node: string) => (await reads.stock(sku)).rows.find((row) => row.node === node);
const atp = async () => (await reads.atpOfOne({ channel: 'web', skus: [sku] })).atp;

/** Open units as `n1/f1: 2`, or `- : 1` where they stand on nothing. */
async function standing(id: string): Promise<Record<string, number>> {
  const { lines } = await reads.reservation(SPEC, id);
  const open = lines
    .flatMap(({ backings }) => backings)
    .map(({ node, fulfilment, held, confirmed }) => [`${node ?? '-'}/${fulfilment ?? ''}`, held + confirmed] as const)
    .filter(([, units]) => units > 0);
  return Object.fromEntries(open);
}

/** A confirmed reservation of units that stand at `n1` for the fulfilment `f1`. */
async function atWork(id: string, units: number): Promise<void> {
  done(await hold(engine, id, [[sku, units]], { nodes: ['n1'] }));
  const { version } = done(await act(engine, id, 'confirm', {}));
  const moves = [{ line: '1', quantity: units, from: { node: 'n1' }, to: { node: 'n1', fulfilment: `${id}-f1` } }];
  const [group] = done(
    await engine.allocate(SPEC, {
      commandId: `${id}-submit`,
      groups: [{ reservations: [{ id, expectedVersion: version, moves }] }],
    }),
  );
  expect(group?.ok).toBe(true);
}

describe('attach', () => {
  beforeEach(() => pool.receive(sku, 'n1', 3));

  it('may confirm in the same commit, and lets nobody else act from then on', async () => {
    done(await hold(engine, sku, [[sku, 2]]));
    const view = done(await act(engine, sku, 'attach', { order: `order-${sku}`, confirm: true }));
    expect(view).toMatchObject({ status: 'confirmed', order: `order-${sku}`, version: 3 });
    const cancel = { verb: 'cancel', body: { commandId: `${sku}-x`, owner: SPEC.actor } } as const;
    expect(await other.verb(OTHER_SPEC, sku, cancel)).toMatchObject({
      rejection: { code: 'reservation.attached', details: { order: `order-${sku}` } },
    });
    expect(done(await act(other, sku, 'attach', { order: `order-${sku}`, confirm: true }))).toEqual(view);
  });

  it('does neither if the hold has expired and is not to be acquired anew', async () => {
    done(await hold(engine, sku, [[sku, 2]], { expiresInSeconds: 0.001 }));
    const asked = { order: `order-${sku}`, confirm: true };
    expect(codeOf(await act(engine, sku, 'attach', asked))).toBe('reservation.expired');
    expect(await reads.reservation(SPEC, sku)).not.toHaveProperty('order');
    const again = { ...asked, reacquire: true, commandId: `${sku}-again` };
    expect(done(await act(engine, sku, 'attach', again))).toMatchObject({ status: 'confirmed' });
  });

  it('gives an order one reservation, whichever of two replicas is asked first', async () => {
    done(await hold(engine, `${sku}-a`, [[sku, 1]]));
    done(await hold(engine, `${sku}-b`, [[sku, 1]]));
    const order = `order-${sku}`;
    const codes = await Promise.all([
      act(engine, `${sku}-a`, 'attach', { order }).then(codeOf),
      act(other, `${sku}-b`, 'attach', { order }).then(codeOf),
    ]);
    expect(codes.toSorted()).toEqual([null, 'order.has_reservation'].toSorted());
  });

  it('that is refused leaves the order to whoever is asked at the same time', async () => {
    for (const id of ['a', 'b', 'c']) done(await hold(engine, `${sku}-${id}`, [[sku, 1]], { expiresInSeconds: 60 }));
    const order = `order-${sku}`;
    const codes = await Promise.all([
      act(engine, `${sku}-a`, 'attach', { order, expectedOrder: 'another' }).then(codeOf),
      act(engine, `${sku}-b`, 'attach', { order }).then(codeOf),
      act(engine, `${sku}-c`, 'attach', { order }).then(codeOf),
    ]);
    expect(codes).toEqual(['reservation.attached', null, 'order.has_reservation']);
  });

  it('frees an order that another follows, or that lets go, in the same commit', async () => {
    for (const id of ['a', 'b']) done(await hold(engine, `${sku}-${id}`, [[sku, 1]]));
    const [first, second] = [`first-${sku}`, `second-${sku}`];
    const asked = [
      ['a', { order: first }],
      ['a', { order: second, expectedOrder: first }],
      ['b', { order: first }],
      ['a', { order: null, expectedOrder: second }],
      ['b', { order: second, expectedOrder: first }],
    ] as const;
    const answers = await Promise.all(
      asked.map(([id, body], place) =>
        act(engine, `${sku}-${id}`, 'attach', { ...body, commandId: `${sku}-${place}` }),
      ),
    );
    expect(answers.map(codeOf)).toEqual([null, null, null, null, null]);
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    done(await act(engine, `${sku}-a`, 'attach', { order: first, commandId: `${sku}-end` }));
  });

  it('compares the order that is attached, and lets go of it', async () => {
    done(await hold(engine, sku, [[sku, 1]]));
    done(await act(engine, sku, 'attach', { order: 'o-1' + sku }));
    const wrong = await act(engine, sku, 'attach', { order: 'o-2' + sku, commandId: `${sku}-2` });
    expect(codeOf(wrong)).toBe('reservation.attached');
    const free = await act(engine, sku, 'attach', { order: null, expectedOrder: 'o-1' + sku, commandId: `${sku}-3` });
    expect(done(free)).not.toHaveProperty('order');
  });
});

describe('amend', () => {
  beforeEach(async () => {
    await pool.receive(sku, 'n1', 4);
    await pool.receive(sku, 'n2', 4);
  });

  it('takes more, gives less, adds lines and names nodes, and keeps what it keeps where it is', async () => {
    const second = `sku${++used}`;
    await pool.receive(second, 'n2', 1);
    const { version } = done(await hold(engine, sku, [[sku, 3]], { nodes: ['n1'] }));
    const lines = [
      { id: '1', sku, quantity: 4, nodes: ['n1'] },
      { id: 'gift', sku: second, quantity: 1 },
    ];
    const more = done(await act(engine, sku, 'amend', { expectedVersion: version, lines, commandId: `${sku}-more` }));
    expect(more.lines).toMatchObject([
      { id: '1', granted: 3, wanted: 4, backings: [{ node: 'n1', held: 4 }] },
      { id: 'gift', granted: 0, wanted: 1, backings: [{ node: 'n2', held: 1 }] },
    ]);
    const less = { expectedVersion: more.version, lines: [{ id: '1', sku, quantity: 1, nodes: ['n1'] }] };
    const fewer = done(await act(engine, sku, 'amend', { ...less, commandId: `${sku}-less` }));
    expect(fewer.lines[0]).toMatchObject({ wanted: 1, backings: [{ node: 'n1', held: 1, released: 3 }] });
    expect(await reads.reservation(SPEC, sku)).toEqual(fewer);
    // A verb on it later finds the SKU that was added.
    expect(done(await act(other, sku, 'confirm', {})).lines[1]).toMatchObject({ backings: [{ confirmed: 1 }] });
  });

  it('is all or nothing', async () => {
    const { version } = done(await hold(engine, sku, [[sku, 3]]));
    const lines = [{ id: '1', sku, quantity: 9 }];
    const refused = await act(engine, sku, 'amend', { expectedVersion: version, lines });
    expect(refused).toMatchObject({
      rejection: { code: 'stock.insufficient', details: { shortages: [{ line: '1', sku }] } },
    });
    expect(await atp()).toBe(5);
  });

  it('hands over to another channel, and the hold is still answered as at first', async () => {
    const first = done(await hold(engine, sku, [[sku, 1]]));
    const amended = await act(engine, sku, 'amend', { expectedVersion: 1, lines: [], channel: 'pos' });
    expect(done(amended)).toMatchObject({ channel: 'pos' });
    expect(await hold(other, sku, [[sku, 1]])).toMatchObject({ replayed: true, value: first });
  });
});

describe('reject', () => {
  beforeEach(() => pool.receive(sku, 'n1', 3));

  it.each([
    ['none', { onHand: 3, available: 2 }, 2],
    ['quantity', { onHand: 2, available: 1 }, 1],
    ['sellable_only', { onHand: 3, available: 0, qualityControl: 2 }, 0],
    ['all', { onHand: 0, available: 0, shortfall: 1, committed: 1 }, 0],
  ] as const)('with the effect %s leaves no phantom unit', async (effect, row, left) => {
    await atWork(`${sku}-a`, 1);
    await atWork(`${sku}-b`, 1);
    const fulfilment = `${sku}-a-f1`;
    const view = done(await act(engine, `${sku}-a`, 'reject', { fulfilment, quantity: 1, effect }));
    expect(view.status).toBe('confirmed');
    expect(await standing(`${sku}-a`)).toEqual({ '-/': 1 });
    expect(await standing(`${sku}-b`)).toEqual({ [`n1/${sku}-b-f1`]: 1 });
    expect(await rowOf('n1')).toMatchObject(row);
    expect(await atp()).toBe(left);
    expect(done(await act(other, `${sku}-a`, 'reject', { fulfilment, quantity: 1, effect }))).toEqual(view);
  });

  it('may name where the units stand from now on, or is refused whole', async () => {
    await atWork(`${sku}-a`, 1);
    const fulfilment = `${sku}-a-f1`;
    const asked = { fulfilment, quantity: 1, effect: 'quantity' } as const;
    const moveTo = { node: 'n2', fulfilment: `${sku}-f2` };
    expect(codeOf(await act(engine, `${sku}-a`, 'reject', { ...asked, moveTo }))).toBe('stock.insufficient');
    await pool.receive(sku, 'n2', 1);
    const byHand = { ...asked, moveTo, override: 'by_hand', commandId: `${sku}-hand` } as const;
    done(await act(engine, `${sku}-a`, 'reject', byHand));
    expect(await standing(`${sku}-a`)).toEqual({ [`n2/${sku}-f2`]: 1 });
  });
});

describe('what is unbacked', () => {
  it('is allocated again with ATP, or given up', async () => {
    await pool.receive(sku, 'n1', 2);
    await atWork(sku, 2);
    const fulfilment = `${sku}-f1`;
    const { version } = done(await act(engine, sku, 'reject', { fulfilment, quantity: 2, effect: 'all' }));
    const moves = [{ line: '1', quantity: 1, from: { node: null }, to: { node: 'n2' } }];
    const allocate = (commandId: string) =>
      engine.allocate(SPEC, {
        commandId,
        override: 'by_hand',
        groups: [{ reservations: [{ id: sku, expectedVersion: version, moves }] }],
      });
    expect(done(await allocate(`${sku}-1`))).toMatchObject([{ rejection: { code: 'stock.insufficient' } }]);
    await pool.receive(sku, 'n2', 1);
    expect(done(await allocate(`${sku}-1`))).toMatchObject([{ ok: true }]);
    expect(await standing(sku)).toEqual({ '-/': 1, 'n2/': 1 });
    done(await act(engine, sku, 'give-up', { lines: [{ line: '1', quantity: 1 }] }));
    expect(await standing(sku)).toEqual({ 'n2/': 1 });
  });
});

describe('acknowledge and unfulfil', () => {
  it('counts how far a node has come, and an undone shipment is promised as before', async () => {
    await pool.receive(sku, 'n1', 3);
    await atWork(sku, 2);
    const fulfilment = `${sku}-f1`;
    const picked = done(await act(engine, sku, 'acknowledge', { fulfilment, stage: 'picked', quantity: 1 }));
    expect(picked.lines[0]?.backings).toContainEqual(expect.objectContaining({ accepted: 1, picked: 1, shipped: 0 }));
    const tooMany = { fulfilment, stage: 'picked', quantity: 2, commandId: `${sku}-2` } as const;
    expect(codeOf(await act(engine, sku, 'acknowledge', tooMany))).toBe('reservation.units_missing');
    done(await act(engine, sku, 'fulfil', { lines: [{ fulfilment, quantity: 2 }] }));
    expect(await rowOf('n1')).toMatchObject({ onHand: 1, committed: 0 });
    done(await act(engine, sku, 'unfulfil', { lines: [{ fulfilment, quantity: 1 }] }));
    expect(await rowOf('n1')).toMatchObject({ onHand: 2, committed: 1, available: 1 });
  });
});

describe('one hand-over', () => {
  const told = (who: StockEngine, source: string, id: string, quantity: number, sourceEventId?: string) =>
    who.recordMovements(SPEC, {
      id,
      source,
      movements: [
        {
          type: 'sale',
          sku,
          node: 'n1',
          quantity,
          fulfilment: `${sku}-f1`,
          ...(sourceEventId ? { sourceEventId } : {}),
        },
      ],
    });

  it('told by a till, a warehouse and us at once, over two replicas, is one unit', async () => {
    await pool.receive(sku, 'n1', 4);
    await atWork(sku, 2);
    await Promise.all([
      told(engine, 'till', `${sku}-till`, 1).then(done),
      told(other, 'wms', `${sku}-wms`, 1).then(done),
      act(engine, sku, 'fulfil', { lines: [{ fulfilment: `${sku}-f1`, quantity: 1 }] }).then(done),
    ]);
    expect(await rowOf('n1')).toMatchObject({ onHand: 3, committed: 1 });
    const second = done(await told(other, 'till', `${sku}-till-2`, 1));
    expect(second.handedOver).toEqual([{ line: 1, reservation: sku, owner: SPEC.actor, fulfilled: 1, beyond: 0 }]);
    const beyond = done(await told(engine, 'wms', `${sku}-wms-2`, 2));
    expect(beyond.handedOver).toMatchObject([{ fulfilled: 0, beyond: 1 }]);
    expect(await rowOf('n1')).toMatchObject({ onHand: 1, committed: 0, available: 1 });
  });

  it('that names no fulfilment we know is refused, and an event counts once under whatever id', async () => {
    await pool.receive(sku, 'n1', 4);
    expect(codeOf(await told(engine, 'till', `${sku}-1`, 1))).toBe('fulfilment.unknown');
    await atWork(sku, 2);
    done(await told(engine, 'till', `${sku}-2`, 1, `${sku}-event`));
    const again = done(await told(other, 'till', `${sku}-3`, 1, `${sku}-event`));
    expect(again).toMatchObject({ repeated: [1], skus: [] });
    expect(await rowOf('n1')).toMatchObject({ onHand: 3 });
  });

  it('undone is told anew', async () => {
    await pool.receive(sku, 'n1', 4);
    await atWork(sku, 1);
    done(await told(engine, 'till', `${sku}-1`, 1));
    done(await act(other, sku, 'unfulfil', { lines: [{ fulfilment: `${sku}-f1`, quantity: 1 }] }));
    expect(await rowOf('n1')).toMatchObject({ onHand: 4, committed: 1 });
    done(await told(engine, 'till', `${sku}-2`, 1));
    expect(await rowOf('n1')).toMatchObject({ onHand: 3, committed: 0 });
  });
});

describe('a hold of what is sold already', () => {
  it('takes what thresholds hide, and promises the rest on nothing', async () => {
    await pool.receive(sku, 'n1', 2);
    const view = done(await hold(engine, sku, [[sku, 5]], { override: 'sold', priority: 3, customerReference: 'c-7' }));
    expect(view.lines[0]).toMatchObject({ granted: 5 });
    expect(await standing(sku)).toEqual({ 'n1/': 2, '-/': 3 });
    expect(await reads.reservation(SPEC, sku)).toMatchObject({ priority: 3, customerReference: 'c-7' });
    expect(done(await act(engine, sku, 'confirm', {})).status).toBe('confirmed');
    done(await act(other, sku, 'cancel', {}));
    expect(await rowOf('n1')).toMatchObject({ available: 2, committed: 0 });
  });
});

describe('a reservation that is undone before it is made', () => {
  it('is refused when it is asked for after all', async () => {
    await pool.receive(sku, 'n1', 1);
    const undone = await act(engine, sku, 'release', {});
    expect(undone).toMatchObject({ rejection: { code: 'reservation.unknown', details: { undone: true } } });
    expect(codeOf(await hold(other, sku, [[sku, 1]]))).toBe('reservation.tombstoned');
    expect(codeOf(await act(other, sku, 'cancel', {}))).toBe('reservation.unknown');
    expect(await atp()).toBe(1);
  });

  it('is either made and undone, or not made, whoever comes first', async () => {
    await pool.receive(sku, 'n1', 20);
    const ids = Array.from({ length: 20 }, (_, index) => `${sku}-${index}`);
    await Promise.all(
      ids.flatMap((id) => [hold(engine, id, [[sku, 1]]), act(other, id, 'release', { commandId: `${id}-u` })]),
    );
    for (const id of ids) {
      const found = await reads.reservation(SPEC, id).catch(() => null);
      expect(found?.status ?? 'closed').toBe('closed');
    }
    expect(await atp()).toBe(20);
  });
});
