import { jetstreamManager } from '@nats-io/jetstream';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AVAILABILITY, STOCK_STREAM, streamsOf } from '@onepool/contracts';
import { connectNats, ensureStream } from '@onepool/platform-messaging';
import { startTestNats, startTestPostgres } from '@onepool/testing-servers';
import { checkProblem } from './testing/answer.ts';
import { type Answer, type AppFixture, createAppFixture, eventually } from './testing/app-fixture.ts';
import { putNetwork, receive } from './testing/network.ts';
import { tableBelow } from './testing/readme-table.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACE = { 'x-request-id': 'order-7.1', traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` };

interface Line {
  readonly msg: string;
  readonly [field: string]: unknown;
}

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['a']);
});
afterAll(() => app.close());

const lines = (from = app): Line[] => from.log.map((line) => JSON.parse(line) as Line);
const lineOf = (fields: object): Promise<Line> =>
  eventually(() => lines().find((line) => Object.entries(fields).every(([name, value]) => line[name] === value)));
const metrics = async (): Promise<string> => (await app.fetch('GET', '/metrics', { key: null })).body as string;
const valueOf = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1],
  );

describe('probes and metrics', () => {
  it('are open, and say that the app lives and is ready', async () => {
    expect(await app.fetch('GET', '/health/live', { key: null })).toMatchObject({ status: 200 });
    const ready = await eventually(async () => {
      const answer = await app.fetch('GET', '/health/ready', { key: null });
      return answer.status === 200 ? answer : undefined;
    });
    expect(ready.body).toMatchObject({
      status: 'ready',
      checks: { postgres: { status: 'ok' }, nats: { status: 'ok' }, relay: { status: 'ok' } },
    });
  });

  it('count batches of the engine, facts of the relay and requests by the template of their route', async () => {
    await receive(app, 'a', { 'wh-1': 3 });
    await app.http('getStock', { params: { sku: 'a' } });
    await app.rpc('getStock', { params: { sku: 'a' } });
    const text = await eventually(async () => {
      const scraped = await metrics();
      return valueOf(scraped, `onepool_relay_published_total{stream="${STOCK_STREAM.name}"}`) > 0 ? scraped : undefined;
    });
    expect(valueOf(text, 'onepool_batch_commands_count')).toBeGreaterThan(0);
    expect(valueOf(text, 'onepool_batch_seconds_count')).toBeGreaterThan(0);
    for (const name of [
      'queue_depth',
      'batch_retries_total',
      'relay_backlog_rows',
      'relay_lag_seconds',
      'relay_partitions',
    ]) {
      expect(text).toContain(`# TYPE onepool_${name} `);
    }
    expect(valueOf(text, `onepool_relay_partitions{stream="${STOCK_STREAM.name}"}`)).toBe(8);
    expect(text).toContain('http_request_duration_seconds_count{method="GET",route="/v1/stock/:sku",status="200"}');
    expect(text).toMatch(
      /rpc_request_duration_seconds_count\{transport="nats",handler="StockController.getStock",status="ok"\} 1/,
    );
    expect(text).not.toContain('/v1/stock/a');
    expect(text).not.toContain('wh-1');
  });

  it('are those that the README lists, and Node’s own', async () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    const exposed = [...(await metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]);
    const own = exposed.filter(([name]) => !/^(process|nodejs)_/.test(name!));
    const listed = tableBelow(readme, '## Metrics').map(([name, type]) => [name!.replaceAll('`', ''), type]);
    expect(new Map(listed as [string, string][])).toEqual(new Map(own as [string, string][]));
  });

  it('are all that the dashboard for Grafana asks for', async () => {
    const dashboard = readFileSync(join(import.meta.dirname, '../../../docs/grafana/availability.json'), 'utf8');
    const text = await metrics();
    const asked = [...dashboard.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].flatMap(([, query]) => [
      ...query!.matchAll(/\b(?:onepool|http|rpc|process|nodejs)_\w+/g),
    ]);
    const names = [...new Set(asked.map(([name]) => name.replace(/_(bucket|sum|count)$/, '')))];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  });
});

describe('a request', () => {
  it('keeps its id and trace over HTTP, in the answer and in the log', async () => {
    const { headers } = await app.http('getStock', { params: { sku: 'a' }, headers: TRACE });
    expect(headers).toMatchObject({
      'x-request-id': 'order-7.1',
      traceparent: expect.stringMatching(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`)),
    });
    expect(headers['traceparent']).not.toContain('00f067aa0ba902b7');
    expect(await lineOf({ request_id: 'order-7.1', route: '/v1/stock/:sku' })).toMatchObject({
      trace_id: TRACE_ID,
      status: 200,
      caller: app.principal,
      duration_ms: expect.any(Number),
    });
  });

  it('keeps them over NATS too', async () => {
    await app.rpc('getStock', { params: { sku: 'nope' }, headers: { ...TRACE, 'x-request-id': 'order-7.2' } });
    expect(await lineOf({ request_id: 'order-7.2' })).toMatchObject({
      trace_id: TRACE_ID,
      handler: 'StockController.getStock',
      status: 'sku.unknown',
    });
  });

  it('gets an id of its own where it brings none or a hostile one, refused or not', async () => {
    const answers = [
      await app.fetch('GET', '/v1/skus'),
      await app.fetch('GET', '/nowhere', { headers: { 'x-request-id': 'a b"c' } }),
      await app.fetch('GET', '/v1/skus', { key: null }),
      await app.fetch('POST', '/v1/reservations', { body: '{' }),
    ];
    const ids = answers.map(({ headers }) => headers['x-request-id']);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(answers.length);
  });

  it('leaves no secret in the log', async () => {
    await app.fetch('GET', `/v1/stock/${app.key}`);
    await app.fetch('GET', `/v1/skus?cursor=${app.key}`);
    await app.http('hold', { body: { id: app.key } });
    await app.rpc('hold', { body: `{"authorization":"${app.key}"` });
    await app.fetch('GET', '/v1/skus', { headers: { cookie: 'session=s3cret' } });
    await lineOf({ msg: 'request', route: '/v1/stock/:sku', status: 404 });
    const written = app.log.join('');
    expect(written).not.toContain(app.key.slice(4));
    expect(written).not.toContain('s3cret');
    expect(written).not.toMatch(/postgres(ql)?:\/\/[^:]+:[^@\[]+@/);
  });
});

describe('partitions', () => {
  it('that run out or do not take all rows are a warning of a replica that is ready, a metric, and one line of the log', async () => {
    const other = await createAppFixture();
    const { housekeeping } = other.availability;
    const ready = async (): Promise<unknown> => {
      const { status, body } = await other.fetch('GET', '/health/ready', { key: null });
      return status === 200 ? (body as { readonly warnings: unknown }).warnings : undefined;
    };
    const warned = (): readonly string[] => other.log.filter((line) => line.includes('partitions are '));
    await housekeeping.makePartitions();
    expect(await eventually(ready)).toEqual([]);
    const days: { name: string }[] = (
      await other.pool.query(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'outbox'::regclass`,
      )
    ).rows;
    for (const { name } of days) await other.pool.query(`DROP TABLE ${name}`);
    await other.pool.query(
      'CREATE TABLE outbox_default PARTITION OF outbox DEFAULT; ALTER FUNCTION make_partitions RENAME TO gone',
    );
    await putNetwork(other, ['a']);
    await receive(other, 'a', { 'wh-1': 1 });
    for (let look = 0; look < 2; look += 1) await housekeeping.makePartitions().catch(() => undefined);
    const warnings = [
      'availability: outbox has partitions for 0.0 days, fewer than 3',
      'availability: rows of outbox fell into its default partition',
    ];
    expect(await eventually(ready)).toEqual(warnings);
    const text = (await other.fetch('GET', '/metrics', { key: null })).body as string;
    expect(valueOf(text, 'onepool_partition_days_ahead{schema="availability",table="outbox"}')).toBe(0);
    expect(valueOf(text, 'onepool_partition_fallen{schema="availability",table="outbox"}')).toBe(1);
    // The app's own look may have come between the loss of the partitions and the row that fell: each state is told once.
    const told = warned().map((line) => JSON.parse(line) as { level: string; warnings: unknown });
    const unnamed = warnings.map((warning) => warning.replace('availability: ', ''));
    expect(told.at(-1)).toMatchObject({ level: 'warn', schema: 'availability', warnings: unnamed });
    expect(new Set(told.map((one) => JSON.stringify(one.warnings))).size).toBe(told.length);
    await other.pool.query('ALTER FUNCTION gone RENAME TO make_partitions');
    await housekeeping.makePartitions();
    expect(await eventually(ready)).toEqual([]);
    // On the way back, too, the app may look in between.
    expect(warned().length).toBeGreaterThan(told.length);
    expect(JSON.parse(warned().at(-1)!)).toMatchObject({ level: 'info', schema: 'availability' });
    await other.close();
  });
});

describe('a stream that is to have three replicas', () => {
  const streams = streamsOf(AVAILABILITY.modules);
  const probe = (of: AppFixture): Promise<Answer> => of.fetch('GET', '/health/ready', { key: null });
  const withNats = async (prepare: (url: string) => Promise<void>, work: (of: AppFixture) => Promise<void>) => {
    const nats = await startTestNats();
    await prepare(nats.url);
    const other = await createAppFixture({ nats, config: { NATS_STREAM_REPLICAS: 3 } });
    try {
      await work(other);
    } finally {
      await other.close();
    }
  };

  it('and has one is a warning of a replica that is ready, which names the command, and stays as it is', async () => {
    const made = async (url: string): Promise<void> => {
      const connection = await connectNats({ url, name: 'operator' });
      const manager = await jetstreamManager(connection);
      for (const stream of streams) await ensureStream(manager, stream);
      await connection.close();
    };
    await withNats(made, async (other) => {
      const warningOf = (stream: string): string =>
        `${stream} has 1 replica where NATS_STREAM_REPLICAS is 3; \`nats stream edit ${stream} --replicas=3\` changes the stream`;
      const ready = await eventually(async () => {
        const { status, body } = await probe(other);
        const told = (body as { readonly warnings?: readonly string[] }).warnings ?? [];
        return status === 200 && told.length === streams.length ? told : undefined;
      });
      expect(new Set(ready)).toEqual(new Set(streams.map(({ name }) => warningOf(name))));
      const told = lines(other).filter(({ msg }) => msg === 'the stream is not as it should be');
      expect(new Set(told.map(({ stream, warnings }) => JSON.stringify([stream, warnings])))).toEqual(
        new Set(streams.map(({ name }) => JSON.stringify([name, [warningOf(name)]]))),
      );
      expect(told).toHaveLength(streams.length);
      const manager = await jetstreamManager(other.caller);
      expect((await manager.streams.info(STOCK_STREAM.name)).config.num_replicas).toBe(1);
    });
  });

  it('and that a single server does not make is why a replica is not ready, in words', async () => {
    await withNats(
      () => Promise.resolve(),
      async (other) => {
        const refusal = /The server does not make the stream ONEPOOL_[A-Z]+ with 3 replicas/;
        const reason = await eventually(async () => {
          const { status, body } = await probe(other);
          return status === 503 && refusal.test(JSON.stringify(body)) ? body : undefined;
        });
        expect(reason).toMatchObject({ checks: { relay: { status: 'failed' }, nats: { status: 'ok' } } });
      },
    );
  });
});

describe('a server that is away', () => {
  it('turns readiness off while it lasts, liveness never, and the app comes back by itself', async () => {
    const postgres = await startTestPostgres();
    const nats = await startTestNats();
    const other = await createAppFixture({ database: postgres, nats });
    const ready = (status: number): Promise<Answer> =>
      eventually(async () => {
        const answer = await other.fetch('GET', '/health/ready', { key: null });
        return answer.status === status ? answer : undefined;
      });
    try {
      await ready(200);
      await putNetwork(other, ['a']);
      await nats.kill();
      const withoutNats = await ready(503);
      expect(checkProblem(withoutNats)).toBe('service.unavailable');
      expect(withoutNats.body).toMatchObject({ checks: { nats: { status: 'failed' }, postgres: { status: 'ok' } } });
      // Without NATS facts wait in the outbox; promises go on over HTTP.
      await receive(other, 'a', { 'wh-1': 1 });
      await nats.restart();
      await ready(200);
      await postgres.kill();
      const withoutPostgres = await ready(503);
      expect(withoutPostgres.body).toMatchObject({ checks: { postgres: { status: 'failed' } } });
      expect(await other.fetch('GET', '/health/live', { key: null })).toMatchObject({ status: 200 });
      for (const edge of ['http', 'rpc'] as const) {
        // The message edge has a connection of its own, which may come back a moment later; core NATS keeps nothing.
        const refused = await eventually(() =>
          other[edge]('getStock', { params: { sku: 'a' }, timeoutMs: 2_000 }).catch(() => undefined),
        );
        expect(refused).toMatchObject({ status: 503, body: { code: 'service.unavailable', retryable: true } });
      }
      await postgres.restart();
      await ready(200);
      const held = await other.http('hold', { body: { id: 'h', channel: 'web', lines: [{ sku: 'a', quantity: 1 }] } });
      expect(held.status).toBe(201);
    } finally {
      await other.close();
      await postgres.stop();
    }
  });
});

describe('closing', () => {
  it('finishes what was taken over HTTP and NATS, and then takes nothing more', async () => {
    const closing = await createAppFixture();
    let closed = false;
    try {
      await putNetwork(closing, ['a']);
      await receive(closing, 'a', { 'wh-1': 100 });
      // Whoever has the gate makes the holds wait inside the engine.
      const holder = await closing.pool.connect();
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM sku_gate FOR UPDATE');
      const hold = (edge: 'http' | 'rpc', id: string): Promise<Answer> =>
        closing[edge]('hold', { body: { id, channel: 'web', lines: [{ sku: 'a', quantity: 1 }] } });
      const taken = [hold('http', 'h-1')];
      await eventually(async () => {
        const { rows } = await closing.pool.query<{ waiting: number }>(
          `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return (rows[0]?.waiting ?? 0) > 0 ? true : undefined;
      });
      taken.push(hold('rpc', 'n-1'));
      await closing.caller.flush();
      const done = closing.availability.close().then(() => (closed = true));
      await holder.query('COMMIT');
      holder.release();
      expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([201, 201]);
      await done;
      await expect(closing.fetch('GET', '/health/live')).rejects.toThrow();
      const { rows } = await closing.pool.query<{ ids: string }>(
        `SELECT string_agg(id, ',' ORDER BY id) AS ids FROM reservation`,
      );
      expect(rows).toEqual([{ ids: 'h-1,n-1' }]);
    } finally {
      if (closed) await closing.closeServers();
      else await closing.close();
    }
  });
});
