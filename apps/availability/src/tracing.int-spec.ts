/** One trace through the whole app, as a collector sees it, over real HTTP, PostgreSQL, JetStream and NATS. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MsgHdrs, headers as natsHeaders } from '@nats-io/transport-node';
import { AVAILABILITY_OPERATIONS, STOCK_STREAM, SKU_CHANGED } from '@onepool/contracts';
import { type RunningConsumer, messagingTables, runConsumer } from '@onepool/platform-messaging';
import { partitionTables, runMigrations } from '@onepool/platform-postgres';
import { type Tracing, startTracing, traceHeaders } from '@onepool/platform-tracing';
import { OtlpReceiver, type ReceivedSpan } from '@onepool/testing-servers';
import { type AppFixture, createAppFixture, eventually } from './testing/app-fixture.ts';
import { putNetwork, receive } from './testing/network.ts';

const CALLERS_SPAN = '00f067aa0ba902b7';
const CONSUMER = 'elsewhere';
const [SERVER, PRODUCER, CONSUMING] = [2, 4, 5];

/** What the SDK reads of the environment. */
const EXPORTER = {
  OTEL_EXPORTER_OTLP_ENDPOINT: '',
  OTEL_BSP_SCHEDULE_DELAY: '20',
  OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
};

let traces = 0;
/** A trace of a caller's own. */
const newTrace = (): { id: string; headers: { traceparent: string } } => {
  const id = `4bf92f3577b34da6a3ce929d0e0e${String(1_000 + traces++)}`;
  return { id, headers: { traceparent: `00-${id}-${CALLERS_SPAN}-01` } };
};

let receiver: OtlpReceiver;
let tracing: Tracing;
let app: AppFixture;
let consumer: RunningConsumer;
const troubles: string[] = [];

const options = {
  service: 'availability',
  instance: 'spec',
  // The last spans are given up only then, and the exporter's timers with them.
  stopWithinMs: 30_000,
  onTrouble: (message: string): void => void troubles.push(message),
};

beforeAll(async () => {
  receiver = await new OtlpReceiver().start();
  Object.assign(process.env, { ...EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  tracing = await startTracing({ OTEL_TRACES_EXPORTER: 'otlp' }, options);
  app = await createAppFixture();
  await putNetwork(app, ['a', 'b']);
  await receive(app, 'a', { 'wh-1': 100 });
  await receive(app, 'b', { 'wh-1': 100 });
  consumer = await startElsewhere();
});
afterAll(async () => {
  await consumer.stop();
  await app.close();
  await tracing.stop();
  await receiver.stop();
  for (const name of Object.keys(EXPORTER)) Reflect.deleteProperty(process.env, name);
});

/** What another app would do: consume a fact, and ask for the SKU's stock because of it. */
async function startElsewhere(): Promise<RunningConsumer> {
  await runMigrations({
    url: app.database.ownerUrl,
    schemas: [{ schema: CONSUMER, parts: [partitionTables, messagingTables] }],
  });
  return runConsumer({
    connection: app.caller,
    pool: app.pool,
    schema: CONSUMER,
    stream: STOCK_STREAM.name,
    durable: 'spec-elsewhere',
    filterSubject: SKU_CHANGED,
    handler: async () => {
      const subject = AVAILABILITY_OPERATIONS.getStock.subject;
      await app.caller.request(subject, '{"sku":"a"}', { headers: withKey(traceHeaders()), timeout: 60_000 });
    },
  });
}

function withKey(told: Readonly<Record<string, string>>): MsgHdrs {
  const headers = natsHeaders();
  headers.set('authorization', `Bearer ${app.key}`);
  for (const [name, value] of Object.entries(told)) headers.set(name, value);
  return headers;
}

/** The spans of a trace, once those of all these names have arrived. */
const spansOf = (traceId: string, ...names: string[]): Promise<Record<string, ReceivedSpan>> =>
  eventually(() => {
    const found = Object.fromEntries(
      receiver.spans.filter((span) => span.traceId === traceId).map((span) => [span.name, span]),
    );
    return names.every((name) => name in found) ? found : undefined;
  });

const hold = (id: string, sku: string, headers: { traceparent: string }) =>
  app.http('hold', { body: { id, channel: 'web', lines: [{ sku, quantity: 1 }] }, headers });

const POST_HOLD = 'POST /v1/reservations';
const COMMIT = 'stock group commit';

it('nothing of the SDK is loaded by an app of which nobody asks for traces', async () => {
  const program = join(import.meta.dirname, 'testing/print-loaded.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, program], { timeout: 90_000 });
  const { untraced, traced } = JSON.parse(stdout) as { readonly untraced: string[]; readonly traced: string[] };
  expect([untraced, traced.includes('sdk-trace-node')]).toEqual([['api'], true]);
});

describe('one trace', () => {
  it('leads from a request over HTTP by commit, outbox, relay and consumer to a request over NATS', async () => {
    const { id, headers } = newTrace();
    const answer = await hold('r-1', 'a', headers);
    expect(answer.status).toBe(201);
    const names = [POST_HOLD, COMMIT, `publish ${SKU_CHANGED}`, `process ${SKU_CHANGED}`, 'StockController.getStock'];
    const spans = await spansOf(id, ...names);
    const [request, commit, publish, process, rpc] = names.map((name) => spans[name]!);
    expect(request).toMatchObject({
      kind: SERVER,
      parentSpanId: CALLERS_SPAN,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/reservations',
        'http.response.status_code': 201,
      },
      resource: { 'service.name': 'availability' },
    });
    expect(answer.headers['traceparent']).toBe(`00-${id}-${request!.spanId}-01`);
    const below = request!.spanId;
    expect(commit).toMatchObject({
      parentSpanId: below,
      links: [below],
      attributes: { 'db.operation.batch.size': 1 },
    });
    expect(publish).toMatchObject({ kind: PRODUCER, parentSpanId: below });
    expect(process).toMatchObject({
      kind: CONSUMING,
      parentSpanId: below,
      attributes: { 'messaging.consumer.group.name': 'spec-elsewhere' },
    });
    expect(rpc).toMatchObject({ kind: SERVER, parentSpanId: process!.spanId });
  });

  it('shows with a commit all the requests that it served, and with each of them the commit', async () => {
    const holder = await app.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM sku_gate FOR UPDATE');
    const callers = Array.from({ length: 8 }, newTrace);
    const holds = callers.map(({ headers }, index) => hold(`g-${index}`, 'b', headers));
    await eventually(() => (app.availability.engine.queueDepth > 1 ? true : undefined));
    await holder.query('COMMIT');
    holder.release();
    await Promise.all(holds);
    const requests = await Promise.all(callers.map(({ id }) => spansOf(id, POST_HOLD)));
    const commits = await eventually(() => {
      const ids = requests.map((spans) => spans[POST_HOLD]!.spanId);
      const found = receiver.spans.filter(({ name, links }) => name === COMMIT && links.some((id) => ids.includes(id)));
      return ids.every((id) => found.some(({ links }) => links.includes(id))) ? found : undefined;
    });
    for (const { [POST_HOLD]: request } of requests) {
      const serving = commits.filter(({ links }) => links.includes(request!.spanId));
      for (const commit of serving)
        if (commit.parentSpanId !== request!.spanId) expect(request!.links).toContain(commit.spanId);
    }
    expect(commits.some(({ links }) => links.length > 1)).toBe(true);
  });

  it('leads from the upload of a feed to its application', async () => {
    const { id, headers } = newTrace();
    const capturedAt = new Date().toISOString();
    const { status } = await app.http('sendFeed', {
      query: { id: 'f-1', source: 'wms', mode: 'reset', measure: 'physical', capturedAt },
      body: '{"sku":"a","node":"wh-2","quantity":3}\n',
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
    });
    expect(status).toBe(202);
    const spans = await spansOf(id, 'POST /v1/feeds', 'apply feed');
    expect(spans['apply feed']).toMatchObject({ parentSpanId: spans['POST /v1/feeds']!.spanId });
  });
});

describe('spans', () => {
  it('begin a trace where the caller’s is malformed', async () => {
    const answer = await app.http('getStock', { params: { sku: 'a' }, headers: { traceparent: '00-nonsense-01' } });
    const [, id] = /^00-([0-9a-f]{32})-/.exec(answer.headers['traceparent'] ?? '')!;
    const spans = await spansOf(id!, 'GET /v1/stock/:sku');
    expect(spans['GET /v1/stock/:sku']!.parentSpanId).toBe('');
  });

  it('tell of refusals by status and code, and of faults as failures', async () => {
    const { id, headers } = newTrace();
    await app.http('getStock', { params: { sku: 'nope' }, headers });
    await app.rpc('getStock', { params: { sku: 'nope' }, headers });
    const spans = await spansOf(id, 'GET /v1/stock/:sku', 'StockController.getStock');
    expect(spans['GET /v1/stock/:sku']).toMatchObject({
      attributes: { 'http.response.status_code': 404 },
      isFailed: false,
    });
    expect(spans['StockController.getStock']).toMatchObject({
      attributes: { 'rpc.response.status_code': 'sku.unknown' },
      isFailed: false,
    });
  });

  it('hold no key and nothing of an address but its template, and there are none of probes', async () => {
    const { id, headers } = newTrace();
    for (const path of ['/health/live', '/metrics', `/v1/stock/${app.key}`]) await app.fetch('GET', path, { headers });
    const spans = await spansOf(id, 'GET /v1/stock/:sku');
    expect(Object.keys(spans)).toEqual(['GET /v1/stock/:sku']);
    expect(JSON.stringify(receiver.spans)).not.toContain(app.key.slice(4));
  });
});

describe('a collector that goes away', () => {
  it('is told of in one line, and takes nothing from those who call the app', async () => {
    expect(troubles).toEqual([]);
    await receiver.stop();
    const answers = [await hold('away-1', 'a', newTrace().headers)];
    await eventually(() => troubles[0]);
    answers.push(await hold('away-2', 'a', newTrace().headers));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(troubles).toEqual([expect.stringContaining('traces are not exported')]);
  });
});
