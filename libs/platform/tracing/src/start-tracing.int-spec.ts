import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@onepool/platform-config';
import { OtlpReceiver, type ReceivedSpan } from '@onepool/testing-servers';
import { trace as openTelemetry } from '@opentelemetry/api';
import { Type } from '@sinclair/typebox';
import { areSpansMade, beginTrace, inSharedSpan, inSpan } from './span.ts';
import { TRACING_SETTINGS, type Tracing, type TracingOptions, startTracing } from './start-tracing.ts';
import { currentTrace, currentTraceparent, traceHeaders, withTrace } from './trace.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${PARENT}-01`;

const told: string[] = [];
let receiver: OtlpReceiver;
let tracing: Tracing | undefined;
const kept = { ...process.env };

/** As an app does it, with these variables on top of the environment. */
async function start(environment: Record<string, string>, options: Partial<TracingOptions> = {}): Promise<void> {
  Object.assign(process.env, environment);
  tracing = await startTracing(loadConfig(Type.Object(TRACING_SETTINGS)), {
    service: 'spec',
    instance: 'spec-1',
    onTrouble: (message) => void told.push(message),
    onMended: (lostSpans) => void told.push(`mended after ${lostSpans}`),
    ...options,
  });
}

async function startWithReceiver(
  environment: Record<string, string> = {},
  options?: Partial<TracingOptions>,
): Promise<void> {
  receiver = await new OtlpReceiver().start();
  await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...environment }, options);
}

/** All spans that have ended; nothing is exported after it. */
async function exported(): Promise<readonly ReceivedSpan[]> {
  await tracing?.stop();
  return receiver.spans;
}

const find = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const found = spans.filter((span) => span.name === name);
  expect([name, found.length]).toEqual([name, 1]);
  return found[0]!;
};

const nothing = (): Promise<void> => Promise.resolve();

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

afterEach(async () => {
  await tracing?.stop();
  await receiver?.stop();
  tracing = undefined;
  told.length = 0;
  process.env = { ...kept };
});

describe('tracing', () => {
  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, true],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_EXPORTER: 'none' }, false],
  ])('is on with %j: %s', async (environment, isOn) => {
    await start(environment);
    expect(areSpansMade()).toBe(isOn);
    expect(beginTrace(null, () => ({ name: 'a' })).span !== null).toBe(isOn);
  });

  it.each([
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /OTEL_TRACES_EXPORTER +expected one of otlp, none, got "zipkin"/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
    [{ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /OTEL_EXPORTER_OTLP_PROTOCOL is grpc/],
  ])('refuses %j, and says what it takes', async (environment, words) => {
    await expect(start(environment)).rejects.toThrow(words);
  });

  it('tells the collector which program and replica a span is of', async () => {
    await startWithReceiver({ OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=spec' });
    await inSpan({ name: 'work' }, nothing);
    expect(find(await exported(), 'work').resource).toMatchObject({
      'service.name': 'spec',
      'service.namespace': 'onepool',
      'service.instance.id': 'spec-1',
      'deployment.environment.name': 'spec',
    });
  });

  it('makes what runs within a span a part of its trace, that of other libraries too', async () => {
    await startWithReceiver();
    await inSpan({ name: 'outer', kind: 'consumer', from: TRACEPARENT, attributes: { count: 1 } }, async () => {
      await nothing();
      await inSpan({ name: 'inner' }, nothing);
      openTelemetry.getTracer('other').startActiveSpan('theirs', (span) => span.end());
    });
    const spans = await exported();
    const outer = find(spans, 'outer');
    expect(outer).toMatchObject({ kind: 5, traceId: TRACE_ID, parentSpanId: PARENT, attributes: { count: 1 } });
    for (const name of ['inner', 'theirs'])
      expect(find(spans, name)).toMatchObject({ traceId: TRACE_ID, parentSpanId: outer.spanId });
  });

  it('passes on its own span to whom it calls, and keeps the id of the request', async () => {
    await startWithReceiver();
    const begun = beginTrace({ 'x-request-id': 'order-7', traceparent: TRACEPARENT }, () => ({ name: 'request' }));
    const headers = await withTrace(begun, () => inSpan({ name: 'call' }, () => Promise.resolve(traceHeaders())));
    begun.span?.end();
    const { spanId } = find(await exported(), 'call');
    expect(headers).toEqual({ 'x-request-id': 'order-7', traceparent: `00-${TRACE_ID}-${spanId}-01` });
  });

  it.each([null, '', 'nonsense', `00-${'0'.repeat(32)}-${PARENT}-01`, `ff-${TRACE_ID}-${PARENT}-01`])(
    'begins a new trace where what it should continue is %j',
    async (from) => {
      await startWithReceiver();
      await inSpan({ name: 'outer' }, () => inSpan({ name: 'work', from }, nothing));
      const spans = await exported();
      expect(find(spans, 'work')).toMatchObject({ parentSpanId: '', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect(new Set([find(spans, 'outer').traceId, find(spans, 'work').traceId, TRACE_ID]).size).toBe(3);
    },
  );

  it('exports nothing of a trace whose caller sampled it out, and tells those it calls', async () => {
    await startWithReceiver();
    const passedOn = await inSpan({ name: 'work', from: `00-${TRACE_ID}-${PARENT}-00` }, async (span) => {
      expect(span).toBeNull();
      return inSpan({ name: 'inner' }, () => Promise.resolve(currentTraceparent()));
    });
    expect(passedOn).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
    expect(await exported()).toEqual([]);
  });

  it('samples as the environment says', async () => {
    await startWithReceiver({ OTEL_TRACES_SAMPLER: 'always_off' });
    await inSpan({ name: 'work', from: TRACEPARENT }, nothing);
    expect(await exported()).toEqual([]);
  });

  it('tells of a failure its code or class, and none of its words', async () => {
    await startWithReceiver();
    const error = Object.assign(new TypeError('the key opk_secret'), { code: 'stock.insufficient' });
    await expect(inSpan({ name: 'work' }, () => Promise.reject(error))).rejects.toBe(error);
    await expect(inSpan({ name: 'other' }, () => Promise.reject(new TypeError('secret')))).rejects.toThrow();
    const spans = await exported();
    expect(find(spans, 'work')).toMatchObject({ isFailed: true, attributes: { 'error.type': 'stock.insufficient' } });
    expect(find(spans, 'other')).toMatchObject({ isFailed: true, attributes: { 'error.type': 'TypeError' } });
    expect(JSON.stringify(spans)).not.toContain('secret');
  });

  it('links work for several traces with each of them, both ways, below the first that is sampled', async () => {
    await startWithReceiver();
    const causes = ['00', '01', '01'].map((flags, index) =>
      beginTrace(`00-${TRACE_ID.replace(/^./, `${index}`)}-${PARENT}-${flags}`, () => ({ name: `cause ${index}` })),
    );
    const within = await inSharedSpan({ name: 'shared' }, [undefined, ...causes], () =>
      Promise.resolve(currentTrace()?.traceId),
    );
    for (const { span } of causes) span?.end();
    const spans = await exported();
    const [first, second, shared] = ['cause 1', 'cause 2', 'shared'].map((name) => find(spans, name));
    expect(shared).toMatchObject({ traceId: first!.traceId, parentSpanId: first!.spanId });
    expect(shared!.links).toEqual([first!.spanId, second!.spanId]);
    expect(second!.links).toEqual([shared!.spanId]);
    expect([within, spans.length]).toEqual([first!.traceId, 3]);
  });

  it('links from the shared work alone where a caller has left meanwhile, whose span has ended', async () => {
    await startWithReceiver();
    const causes = ['first', 'left'].map((name) => beginTrace(null, () => ({ name })));
    causes[1]!.span?.end();
    await inSharedSpan({ name: 'shared' }, causes, nothing);
    causes[0]!.span?.end();
    const spans = await exported();
    expect(find(spans, 'shared').links).toContain(find(spans, 'left').spanId);
    expect(told).toEqual([]);
  });

  it('makes no span for work of which no trace is sampled', async () => {
    await startWithReceiver();
    expect(await inSharedSpan({ name: 'shared' }, [undefined], () => Promise.resolve(7))).toBe(7);
    expect(await exported()).toEqual([]);
  });
});

describe('a collector', () => {
  const QUICK = { OTEL_BSP_SCHEDULE_DELAY: '1', OTEL_EXPORTER_OTLP_TIMEOUT: '300' };

  it('that is away is told of, with the reason', async () => {
    await startWithReceiver(QUICK);
    await receiver.stop();
    await inSpan({ name: 'lost' }, nothing);
    await until(() => told.length > 0);
    expect(told[0]).toMatch(/^traces are not exported: .*ECONNREFUSED.* \(1 spans lost so far\)$/);
  });

  it('that refuses is told of in one line, however many batches are lost, and in another once it takes them', async () => {
    await startWithReceiver(QUICK);
    receiver.isRefusing = true;
    while (receiver.refusedBatches < 3) {
      const before = receiver.refusedBatches;
      await inSpan({ name: 'lost' }, nothing);
      await until(() => receiver.refusedBatches > before);
    }
    receiver.isRefusing = false;
    await until(() => {
      void inSpan({ name: 'found' }, nothing);
      return told.length > 1;
    });
    expect(told).toEqual([
      expect.stringMatching(/^traces are not exported: .* \(1 spans lost so far\)$/),
      expect.stringMatching(/^mended after \d+$/),
    ]);
  });

  it('that does not answer holds neither work nor the end up, and a bounded number of spans waits for it', async () => {
    await startWithReceiver(
      {
        OTEL_BSP_MAX_QUEUE_SIZE: '10',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
        OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
      },
      { stopWithinMs: 50 },
    );
    receiver.hold();
    for (let count = 0; count < 1_000; count++) await inSpan({ name: 'work' }, nothing);
    await until(() => receiver.heldBatches > 0);
    await tracing?.stop();
    expect(told).toEqual([]); // It would have been told that the exporter gave up.
    receiver.release();
    expect(receiver.spans.length).toBeGreaterThan(0);
    expect(receiver.spans.length).toBeLessThanOrEqual(15);
  });
});

describe('without an exporter', () => {
  it('work is part of the trace that it continues, for its log lines and whatever it sends', async () => {
    const seen = await inSpan({ name: 'work', from: TRACEPARENT }, async (span) => {
      await nothing();
      return { span, trace: currentTrace() };
    });
    expect(seen).toMatchObject({ span: null, trace: { traceId: TRACE_ID, parentSpanId: PARENT, span: null } });
  });

  it('a span within a trace changes nothing', async () => {
    const begun = beginTrace(TRACEPARENT, () => ({ name: 'request' }));
    expect(await withTrace(begun, () => inSpan({ name: 'work' }, () => Promise.resolve(currentTrace())))).toBe(begun);
    expect(await inSharedSpan({ name: 'shared' }, [begun], () => Promise.resolve(currentTrace()))).toBeUndefined();
  });
});
