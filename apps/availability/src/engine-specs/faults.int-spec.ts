import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type EngineOptions, type StockEngine } from '@onepool/stock-data-access';
import { TcpProxy } from '@onepool/testing-servers';
import { type PoolFixture, createPoolFixture, numbered, unitsOf } from '../testing/pool-fixture.ts';
import { act, codeOf, done, hold, holdGate, readsOf, receipt, record, sale, until } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let proxy: TcpProxy;
let sku: string;
let skus = 0;
beforeAll(async () => {
  pool = await createPoolFixture(2, 40);
});
afterAll(() => pool.close());
beforeEach(async () => {
  proxy = await TcpProxy.to(Number(new URL(pool.url).port));
  sku = `sku${++skus}`;
  await pool.receive(sku, 'n1', 5);
});
afterEach(async () => {
  await proxy.close();
  expect(await brokenLaws(pool.dataSource)).toEqual([]);
});

/** What a session may idle with its locks, as in production: some of these specs wait until it has. */
const SHORT_IDLE = { idleInTransactionTimeoutMs: 1_000 };

/**
 * An engine whose every connection goes through the proxy, and the reasons for which it tried again, but for gates: the session that
 * was cut holds its own until the server has noticed.
 */
function faulty(options: Partial<EngineOptions> = {}): { engine: StockEngine; retries: string[] } {
  const retries: string[] = [];
  const onRetry = (reason: string): void => {
    if (reason !== 'contended') retries.push(reason);
  };
  return {
    engine: pool.engine({ url: proxy.url(pool.url), queues: 1, hooks: { onRetry }, ...SHORT_IDLE, ...options }),
    retries,
  };
}

/** What has been asked by now is queued after this, and taken if its commit queue may. */
const taken = async (): Promise<void> => {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
};

const rowOf = async (code = sku) => (await readsOf(pool.engine()).stock(code)).rows[0];
const sent = (text: string) => proxy.cutAfter('toServer', (bytes) => bytes.includes(text));

describe('a connection that breaks', () => {
  it('after COMMIT was sent: the hold took effect once and its caller hears the one true answer', async () => {
    const { engine, retries } = faulty();
    const cut = sent('optimistic');
    const view = done(await hold(engine, `${sku}-r`, [[sku, 2]]));
    await cut;
    expect(retries).toContain('unknown');
    expect(unitsOf(view, 'held')).toBe(2);
    expect(await rowOf()).toMatchObject({ available: 3, reserved: 2 });
    expect(done(await hold(pool.engine(), `${sku}-r`, [[sku, 2]]))).toEqual(view);
  });

  it('after COMMIT was sent: so with a verb and with movements', async () => {
    const { engine, retries } = faulty();
    done(await hold(engine, `${sku}-r`, [[sku, 2]]));
    const first = sent('COMMIT');
    const view = done(await act(engine, `${sku}-r`, 'confirm', {}));
    await first;
    const second = sent('COMMIT');
    const sold = done(await record(engine, `${sku}-pos`, [sale(sku, 'n1', 1)]));
    await second;
    expect(retries).toEqual(['unknown', 'unknown']);
    expect({ version: view.version, confirmed: unitsOf(view, 'confirmed') }).toEqual({ version: 2, confirmed: 2 });
    expect(sold.skus).toMatchObject([{ rows: [{ onHand: 4, available: 2, committed: 2 }] }]);
    expect(await rowOf()).toMatchObject({ onHand: 4, available: 2, committed: 2, reserved: 0 });
  });

  // The writes and COMMIT travel together, so that a cut there leaves the outcome open until the keys are looked up.
  it.each([
    ['lock-gates', 'wait'],
    ['write-batch', 'unknown'],
    ['write-commands', 'unknown'],
  ])('at %s: tried again, once', async (step, retry) => {
    const { engine, retries } = faulty();
    done(await hold(engine, `${sku}-r`, [[sku, 2]]));
    const cut = sent(step);
    done(await act(engine, `${sku}-r`, 'confirm', {}));
    await cut;
    expect(retries).toEqual([retry]);
    expect(await rowOf()).toMatchObject({ available: 3, committed: 2 });
  });

  it('while a reservation is looked up: tried again, as everything else is', async () => {
    const { engine } = faulty();
    done(await hold(engine, `${sku}-r`, [[sku, 2]]));
    const cut = sent('find-reservations');
    const settled = await act(engine, `${sku}-r`, 'confirm', {});
    await cut;
    expect(codeOf(settled)).toBe(null);
  });

  it('while a SKU is looked up for the first time: tried again', async () => {
    const { engine } = faulty();
    done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const cut = sent('sku-keys');
    const settled = await hold(engine, `${sku}-r`, [['sku40', 1]]);
    await cut;
    expect(codeOf(settled)).toBe('stock.insufficient');
  });
});

describe('PostgreSQL out of reach for longer than the deadline', () => {
  const DEADLINE_MS = 60_000;
  afterEach(() => void jest.restoreAllMocks());

  /** Sets our clock forward, so that a deadline passes when it shall, however long all before it has taken. */
  function letTimePass(ms: number): void {
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  }

  it('is service.unavailable to every kind of command, and everything works once it is back', async () => {
    const { engine } = faulty({ deadlineMs: DEADLINE_MS });
    done(await hold(engine, `${sku}-r`, [[sku, 1]]));
    proxy.cut();
    const asked = [
      hold(engine, `${sku}-late`, [[sku, 1]]),
      act(engine, `${sku}-r`, 'confirm', {}),
      record(engine, `${sku}-in`, [receipt(sku, 'n1', 1)]),
      hold(engine, `${sku}-unseen`, [['sku39', 1]]),
    ];
    letTimePass(DEADLINE_MS);
    const settled = await Promise.allSettled<unknown>(asked);
    const unavailable = { status: 'rejected', reason: { name: 'EngineError', code: 'service.unavailable' } };
    expect(settled).toMatchObject(asked.map(() => unavailable));
    proxy.heal();
    await until('it answers again', () =>
      hold(engine, `${sku}-late`, [[sku, 1]]).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    done(await act(engine, `${sku}-r`, 'confirm', {}));
    done(await record(engine, `${sku}-in`, [receipt(sku, 'n1', 1)]));
    expect(await rowOf()).toMatchObject({ onHand: 6, available: 4, reserved: 1, committed: 1 });
  });

  it('after COMMIT was sent is outcome.unknown; the same request later tells the truth', async () => {
    const { engine } = faulty({ deadlineMs: DEADLINE_MS });
    done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const asked = hold(engine, `${sku}-r`, [[sku, 2]]).catch((error: unknown) => error);
    await sent('optimistic');
    proxy.cut();
    letTimePass(DEADLINE_MS);
    expect(await asked).toMatchObject({ name: 'EngineError', code: 'outcome.unknown' });
    proxy.heal();
    await until('it answers again', () =>
      hold(engine, `${sku}-warm`, [[sku, 1]]).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    expect(await hold(engine, `${sku}-r`, [[sku, 2]])).toMatchObject({ ok: true, replayed: true });
    expect(await rowOf()).toMatchObject({ available: 2, reserved: 3 });
  });
});

describe('a queue that is full', () => {
  it('refuses at once with service.overloaded, and what it took is answered', async () => {
    const engine = pool.engine({ queues: 1, limits: { queueMax: 2 } });
    done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const gate = await holdGate(pool, sku);
    const first = hold(engine, `${sku}-1`, [[sku, 1]]);
    await gate.waitedForBy(1);
    const next = hold(engine, `${sku}-next`, [[sku, 1]]);
    await taken();
    const waiting = ['2', '3'].map((id) => hold(engine, `${sku}-${id}`, [[sku, 1]]));
    await until('the queue is full', () => engine.queueDepth === 2);
    await expect(hold(engine, `${sku}-4`, [[sku, 1]])).rejects.toMatchObject({ code: 'service.overloaded' });
    await gate.release();
    expect((await Promise.all([first, next, ...waiting])).map(codeOf)).toEqual([null, null, null, null]);
  });
});

describe('a replica that stops while it holds gates', () => {
  it('keeps the others waiting no longer than its session may idle', async () => {
    const engine = pool.engine();
    done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const gate = await holdGate(pool, sku, 1_000);
    // Nobody releases the gate before they are settled, so it is the end of the idle session that lets them go on.
    const settled = await Promise.all(numbered(`${sku}-r`, 4).map((id) => hold(engine, id, [[sku, 1]])));
    expect(settled.map(codeOf)).toEqual([null, null, null, null]);
    await gate.release();
  });

  it('cannot apply twice what another replica settled meanwhile under the same key', async () => {
    const { engine: stopped } = faulty();
    const other = pool.engine();
    for (const engine of [stopped, other]) done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const gate = await holdGate(pool, sku);
    const stale = hold(stopped, `${sku}-r`, [[sku, 3]]);
    await gate.waitedForBy(1);
    // From here on the stopped replica hears nothing: its session gets the gate and idles with it.
    proxy.swallow();
    await gate.release();
    const retried = done(await hold(other, `${sku}-r`, [[sku, 3]]));
    proxy.heal();
    expect(done(await stale)).toEqual(retried);
    expect(await rowOf()).toMatchObject({ available: 1, reserved: 4 });
  });

  it('is refused what is gone when it comes back', async () => {
    const { engine: stopped } = faulty();
    const other = pool.engine();
    for (const engine of [stopped, other]) done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const gate = await holdGate(pool, sku);
    const stale = hold(stopped, `${sku}-slow`, [[sku, 4]]);
    await gate.waitedForBy(1);
    proxy.swallow();
    await gate.release();
    done(await hold(other, `${sku}-quick`, [[sku, 4]]));
    proxy.heal();
    expect(codeOf(await stale)).toBe('stock.insufficient');
  });
});

describe('one bad command in a batch', () => {
  beforeAll(async () => {
    await pool.dataSource.query(
      `CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.id LIKE 'bad%' THEN RAISE EXCEPTION 'bad command'; END IF; RETURN NEW; END $$`,
    );
    await pool.dataSource.query(
      'CREATE TRIGGER bad BEFORE INSERT ON reservation FOR EACH ROW EXECUTE FUNCTION refuse_bad()',
    );
  });

  it('fails alone: its neighbours succeed, and the units it had taken go to those behind it', async () => {
    const batches: number[] = [];
    const retries: string[] = [];
    const hooks = {
      onBatch: (commands: number) => void batches.push(commands),
      onRetry: (reason: string) => void retries.push(reason),
    };
    const engine = pool.engine({ queues: 1, hooks });
    done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const gate = await holdGate(pool, sku);
    const first = hold(engine, `${sku}-first`, [[sku, 1]]);
    await gate.waitedForBy(1);
    const ids = [`${sku}-a`, `bad-${sku}-1`, `${sku}-b`, `bad-${sku}-2`, `${sku}-c`, `${sku}-d`];
    const asked = ids.map((id) => hold(engine, id, [[sku, 1]]));
    const settling = Promise.allSettled(asked);
    await taken();
    await gate.release();
    done(await first);
    const settled = await settling;
    expect(settled.map((each) => (each.status === 'rejected' ? String(each.reason) : codeOf(each.value)))).toEqual([
      null,
      'error: bad command',
      null,
      'error: bad command',
      null,
      'stock.insufficient',
    ]);
    expect(retries.filter((reason) => reason === 'split').length).toBeGreaterThan(1);
  });

  it('a NUL byte fails alone, too', async () => {
    const engine = pool.engine({ queues: 1 });
    done(await hold(engine, `${sku}-warm`, [[sku, 1]]));
    const gate = await holdGate(pool, sku);
    const first = hold(engine, `${sku}-first`, [[sku, 1]]);
    await gate.waitedForBy(1);
    const asked = [
      record(engine, `${sku}-good`, [sale(sku, 'n1', 1)]),
      record(engine, `${sku}-nul`, [{ ...sale(sku, 'n1', 1), reason: 'a\u0000b' }]),
    ];
    const settling = Promise.allSettled(asked);
    await taken();
    await gate.release();
    done(await first);
    const settled = await settling;
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await rowOf()).toMatchObject({ onHand: 4 });
  });
});
