/** The client against a small app, over real HTTP and real NATS. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { traceFrom, withTrace } from '@onepool/platform-tracing';
import { createTestNatsAccount } from '@onepool/testing-servers';
import { type ClientOptions, type NatsClient, NoAnswerError, RefusedError, createClient, valueOf } from './index.ts';
import { SHELVES, type ShelvesApp, openShelvesApp } from './spec-support/shelves-app.ts';

let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let app: ShelvesApp;
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:1';
const soon = { pauseMs: 1, pauseMsMax: 1 };

beforeAll(async () => {
  nats = await createTestNatsAccount();
  app = await openShelvesApp(nats.url);
});
afterAll(async () => {
  await app.close();
  await nats.stop();
});
beforeEach(() => app.willDo());

const settings = (options: Partial<ClientOptions>): ClientOptions => ({ apiKey: app.key, retry: soon, ...options });
const overHttp = (options: Partial<ClientOptions> = {}, url: string | string[] = app.url) =>
  createClient(SHELVES, { http: { url }, ...settings(options) });
const overNats = (options: Partial<ClientOptions> = {}) =>
  createClient(SHELVES, { nats: app.caller, ...settings(options) });
const filling = { params: { shelf: 'a/b' }, query: { dry: true }, body: { id: 'f-1', units: 3 } };
const call = { shelf: 'a/b', dry: true, id: 'f-1', units: 3 };

describe.each<[string, (options?: Partial<ClientOptions>) => NatsClient<typeof SHELVES>]>([
  ['over HTTP', overHttp],
  ['over NATS', overNats],
])('a call %s', (_way, clientWith) => {
  it('carries path, query and body, and answers the value, with members that a newer server has added', async () => {
    expect(await clientWith().fill(filling)).toEqual({
      ok: true,
      status: 201,
      value: { shelf: 'a/b', units: 3, dry: true, since: 'the next release' },
    });
    expect(app.calls).toEqual([call]);
  });

  it('answers a refusal, and is not repeated for one that only others can change', async () => {
    app.willDo('shelf.full');
    const refused = await clientWith().fill(filling);
    expect(refused).toMatchObject({
      ok: false,
      status: 409,
      problem: { code: 'shelf.full' },
      mayHaveTakenEffect: false,
    });
    expect(app.calls).toHaveLength(1);
  });

  it('is repeated with the same body while the app asks for it', async () => {
    app.willDo('limit.rate', 'limit.rate');
    expect(await clientWith().fill(filling)).toMatchObject({ ok: true });
    expect(app.calls).toEqual([call, call, call]);
  });

  it('is repeated a bounded number of times, and then answers as it was answered last', async () => {
    app.willDo('limit.rate', 'limit.rate', 'limit.rate', 'limit.rate');
    const refused = await clientWith({ retry: { ...soon, attemptsMax: 3 } }).fill(filling);
    expect(refused).toMatchObject({ ok: false, problem: { code: 'limit.rate' } });
    expect(app.calls).toHaveLength(3);
  });

  it('does not wait for `Retry-After` beyond its own time', async () => {
    app.willDo('service.unavailable');
    const refused = await clientWith().fill(filling);
    expect(refused).toMatchObject({ ok: false, retryAfterSeconds: 3_600, problem: { code: 'service.unavailable' } });
    expect(app.calls).toHaveLength(1);
  });

  it('is never repeated where the contract gives no reason why it may be, or the client is told not to', async () => {
    app.willDo('limit.rate');
    expect(await clientWith().shake({ body: { units: 1 } })).toMatchObject({ ok: false });
    app.willDo('limit.rate');
    expect(await clientWith({ retry: false }).fill(filling)).toMatchObject({ ok: false });
    expect(app.calls).toHaveLength(1);
  });

  it('is repeated when an attempt is not answered in time, and says that a later refusal may not be all', async () => {
    app.willDo('hang', 'shelf.full');
    const refused = await clientWith({ attemptTimeoutMs: 2_000 }).fill(filling);
    expect(refused).toMatchObject({ ok: false, problem: { code: 'shelf.full' }, mayHaveTakenEffect: true });
  });

  it('fails when no answer comes, and says whether it may have taken effect', async () => {
    app.willDo('hang');
    const change = clientWith({ timeoutMs: 500 }).fill(filling);
    await expect(change).rejects.toMatchObject({ name: 'NoAnswerError', mayHaveTakenEffect: true });
    app.willDo('hang');
    const look = clientWith({ timeoutMs: 500 }).look({ params: { shelf: 'a' } });
    await expect(look).rejects.toMatchObject({ name: 'NoAnswerError', mayHaveTakenEffect: false });
  });

  it('ends when its caller says so, with the caller’s reason', async () => {
    app.willDo('hang');
    const stop = new AbortController();
    const reason = new Error('the shop is closed');
    const ended = clientWith().fill(filling, { signal: stop.signal });
    while (app.calls.length === 0) await turn();
    stop.abort(reason);
    await expect(ended).rejects.toBe(reason);
    await expect(clientWith().fill(filling, { signal: stop.signal })).rejects.toBe(reason);
  });

  it('shows its key in no error and nowhere on the client', async () => {
    const onepool = clientWith({ timeoutMs: 300, apiKey: `${app.key}x` });
    const refused = await onepool.fill(filling);
    app.willDo('hang');
    const lost: unknown = await clientWith({ timeoutMs: 300 })
      .fill(filling)
      .catch((error: unknown) => error);
    const failed = (): unknown => valueOf(refused);
    expect(failed).toThrow(RefusedError);
    expect(failed).toThrow(/^401 auth\.invalid: /);
    expect(lost).toBeInstanceOf(NoAnswerError);
    const shown = [onepool, refused, lost].map((what) => inspect(what, { depth: Infinity, showHidden: true }));
    expect(shown.filter((text) => text.includes(app.key))).toEqual([]);
  });
});

describe('a call over HTTP', () => {
  it('goes to the next address when one does not answer', async () => {
    const onepool = overHttp({}, [NOBODY, app.url]);
    for (let count = 0; count < 3; count += 1) expect(await onepool.fill(filling)).toMatchObject({ ok: true });
    await onepool.close();
  });

  it('is repeated when the connection is lost behind its effect', async () => {
    app.willDo('cut');
    expect(await overHttp().fill(filling)).toMatchObject({ ok: true });
    expect(app.calls).toEqual([call, call]);
  });

  it('says that nothing has happened where nobody was reached', async () => {
    const lost = overHttp({}, NOBODY).fill(filling);
    await expect(lost).rejects.toMatchObject({ message: expect.stringMatching(/^fill: /), mayHaveTakenEffect: false });
  });

  it('takes the page of somebody else for no answer', async () => {
    const proxy = createServer((_request, response) => response.writeHead(200).end('<h1>Log in</h1>'));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await expect(overHttp({}, url).fill(filling)).rejects.toMatchObject({ name: 'NoAnswerError', status: 200 });
    proxy.closeAllConnections();
    proxy.close();
  });

  it('continues the trace that it is made in', async () => {
    const trace = traceFrom(undefined);
    await withTrace(trace, () => overHttp().fill(filling));
    expect(app.traces.at(-1)).toBe(`00-${trace.traceId}-${trace.spanId}-01`);
  });

  it('sends a CSV as text or as bytes', async () => {
    const text = 'shelf\nä\n';
    expect(valueOf(await overHttp().importShelves({ body: text }))).toEqual({ bytes: 9 });
    expect(valueOf(await overHttp().importShelves({ body: Buffer.from(text) }))).toEqual({ bytes: 9 });
    expect(app.calls).toEqual([{ text }, { text }]);
  });

  it('sends a stream as it comes, compressed or not', async () => {
    const rows = async function* () {
      yield '{"a":1}\n';
      yield Buffer.from('{"a":2}\n');
    };
    const contentType = 'application/x-ndjson';
    const text = '{"a":1}\n{"a":2}\n';
    expect(valueOf(await overHttp().pour({ body: rows(), contentType }))).toEqual({ bytes: 16 });
    valueOf(await overHttp().pour({ body: gzipSync(text), contentType, contentEncoding: 'gzip' }));
    expect(app.calls).toEqual([
      { text, contentType },
      { text, contentType },
    ]);
  });

  it('repeats a stream that can be opened anew, and no other', async () => {
    const contentType = 'text/csv';
    app.willDo('cut');
    await expect(overHttp().pour({ body: ['a\n', 'b\n'], contentType })).rejects.toBeInstanceOf(NoAnswerError);
    app.willDo('cut');
    expect(valueOf(await overHttp().pour({ body: () => ['a\n', 'b\n'], contentType }))).toEqual({ bytes: 4 });
    expect(app.calls).toHaveLength(2);
  });
});

describe('a call over NATS', () => {
  it('says that nothing has happened where nobody serves it', async () => {
    const { shake } = SHELVES.operations;
    const contract = { ...SHELVES, operations: { shake: { ...shake, subject: 'onepool.rpc.shelves.nobody.v1' } } };
    const lost = createClient(contract, { nats: app.caller, ...settings({}) }).shake({ body: { units: 1 } });
    await expect(lost).rejects.toMatchObject({ name: 'NoAnswerError', mayHaveTakenEffect: false });
  });

  it('continues the trace that it is made in', async () => {
    const heard = app.caller.subscribe(SHELVES.operations.fill.subject, { max: 1 });
    const trace = traceFrom(undefined);
    await withTrace(trace, () => overNats().fill(filling));
    for await (const { headers } of heard) expect(headers?.get('traceparent')).toContain(trace.traceId);
  });
});

it('a key that no header can carry is refused without being shown', () => {
  const making = (): unknown => createClient(SHELVES, { http: { url: NOBODY }, apiKey: 'secret\nkey' });
  expect(making).toThrow('printable ASCII');
  expect(making).not.toThrow(/secret/);
});
