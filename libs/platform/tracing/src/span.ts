/**
 * Spans: what is told to a collector about a piece of work. They exist only while traces are exported; else a trace is an
 * identity for logs and headers, and these functions do next to nothing.
 */
import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace as openTelemetry,
} from '@opentelemetry/api';
import {
  type Trace,
  type TracePosition,
  type TraceSource,
  currentTrace,
  newRequestId,
  positionIn,
  requestIdIn,
  traceFrom,
  withTrace,
} from './trace.ts';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** How a span looks when it begins. Names and attributes are those of OpenTelemetry's semantic conventions. */
export interface SpanStart {
  /** Of a bounded set: the template of a route, a subject, a handler. What varies is an attribute. */
  readonly name: string;
  /** `internal` unless told. */
  readonly kind?: keyof typeof KINDS;
  /** Ids and counts. No keys, and nothing about a person. */
  readonly attributes?: Attributes;
}

/** A span that may continue what another process, or an earlier time, has begun. */
export interface ContinuingSpan extends SpanStart {
  /** What it continues; null, or what is no trace context, begins a new trace. The present trace unless told. */
  readonly from?: TraceSource;
}

let tracer: Tracer | null = null;

/** From now on spans are made, or, with null, are not. */
export function makeSpansWith(newTracer: Tracer | null): void {
  tracer = newTracer;
}

/** Whether spans are made, for those who would have to prepare something for them. */
export const areSpansMade = (): boolean => tracer !== null;

/**
 * Continues a caller's trace, or begins one, with a span that whoever asked ends: `trace.span?.end()`. For hooks that see
 * the beginning and the end of something apart; else {@link inSpan}.
 */
export function beginTrace(source: TraceSource, start: () => SpanStart): Trace {
  return tracer === null ? traceFrom(source) : open(tracer, positionIn(source), requestIdIn(source), start());
}

/**
 * Runs `fn` as a span, which ends with it, and says so if it fails. The work is part of the trace that `from` names, and so
 * are its log lines and whatever it sends, also where no spans are made.
 *
 * @example await inSpan({ name: 'task order.capture', kind: 'consumer', from: row.trace }, () => capture(row));
 */
export function inSpan<T>(start: ContinuingSpan, fn: (span: Span | null) => Promise<T>): Promise<T> {
  const { from } = start;
  if (tracer === null) return from === undefined ? fn(null) : withTrace(traceFrom(from), () => fn(null));
  if (from !== undefined) return run(open(tracer, positionIn(from), requestIdIn(from), start), fn);
  const present = currentTrace();
  return run(open(tracer, present ?? null, present?.requestId ?? newRequestId(), start), fn);
}

/**
 * Runs `fn` as one span for the sake of several traces: below the first that is recorded, so that it is sampled when that
 * one is, and linked with all of them in both directions. Without a span if none of them is recorded.
 */
export function inSharedSpan<T>(
  start: SpanStart,
  causes: readonly (Trace | undefined)[],
  fn: () => Promise<T>,
): Promise<T> {
  if (tracer === null) return fn();
  const recorded = causes.flatMap((cause) => cause?.span ?? []);
  const first = causes.find((cause) => cause?.span);
  if (first === undefined) return fn();
  const links = recorded.map((span) => ({ context: span.spanContext() }));
  const shared = open(tracer, first, first.requestId, start, links);
  const context = shared.span?.spanContext();
  // A caller that has left meanwhile has a span that takes nothing more, and would have the SDK complain.
  const others = recorded.filter((span) => span !== first.span && span.isRecording());
  if (context) for (const span of others) span.addLink({ context });
  return run(shared, fn);
}

/** Marks a span as failed, by a class of errors and not by their texts, which may tell of people or keys. */
export function failSpan(span: Span | null, errorType: string): void {
  span?.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR });
}

function open(
  from: Tracer,
  parent: TracePosition | null,
  requestId: string,
  { name, kind = 'internal', attributes = {} }: SpanStart,
  links: Link[] = [],
): Trace {
  const span = from.startSpan(name, { kind: KINDS[kind], attributes, links }, contextBelow(parent));
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    requestId,
    traceId,
    spanId,
    parentSpanId: parent?.spanId,
    flags: traceFlags.toString(16).padStart(2, '0'),
    span: span.isRecording() ? span : null,
  };
}

function contextBelow(parent: TracePosition | null) {
  if (parent === null) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = parent;
  return openTelemetry.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

function run<T>(trace: Trace, fn: (span: Span | null) => Promise<T>): Promise<T> {
  return withTrace(trace, async () => {
    try {
      return await fn(trace.span);
    } catch (error) {
      failSpan(trace.span, errorTypeOf(error));
      throw error;
    } finally {
      trace.span?.end();
    }
  });
}

/** A code says more than a name: `stock.insufficient`, PostgreSQL's and Node's. */
function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
