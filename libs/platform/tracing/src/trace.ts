/**
 * Which request is being worked on: an id for people and a W3C trace context for tools, kept for everything that a
 * request causes, asynchronous or not, and passed on over NATS headers and in stored facts.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';
import { type Span, context, trace as openTelemetry } from '@opentelemetry/api';

/** Where a piece of work stands in a trace: what the next one below it needs to know. */
export interface TracePosition {
  /** 32 lower-case hex digits, shared by everything the first request caused. */
  readonly traceId: string;
  /** 16 lower-case hex digits, of this part of the work. */
  readonly spanId: string;
  /** W3C trace flags, two hex digits; passed on as they came while no spans are made. */
  readonly flags: string;
}

/** The identity of one piece of work. */
export interface Trace extends TracePosition {
  /** As the caller named it in `x-request-id`, or made here. */
  readonly requestId: string;
  /** The caller's span, if it sent one. */
  readonly parentSpanId: string | undefined;
  /** What will be exported of this work; null where traces are not exported, or this one is not sampled. */
  readonly span: Span | null;
}

/** Anything that headers can be read from: NATS headers, a Map, or a plain record in lower case. */
export type HeaderSource = { get(name: string): unknown } | Readonly<Record<string, unknown>>;

/** What a trace can be continued from: the headers of a message, or a stored `traceparent`. Null continues nothing. */
export type TraceSource = HeaderSource | string | null | undefined;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const traces = new AsyncLocalStorage<Trace>();

/** The trace that the present work belongs to, or undefined outside of any. */
export function currentTrace(): Trace | undefined {
  return traces.getStore();
}

/** The `traceparent` of the present work, to be stored with what it causes; null outside of any. */
export function currentTraceparent(): string | null {
  const trace = traces.getStore();
  return trace ? traceparentOf(trace) : null;
}

/** Runs `fn`, and all that it starts, as part of `trace`. */
export function withTrace<T>(trace: Trace, fn: () => T): T {
  const { span } = trace;
  if (span === null) return traces.run(trace, fn);
  // Spans of other libraries find ours by OpenTelemetry's own context.
  return traces.run(trace, () => context.with(openTelemetry.setSpan(context.active(), span), fn));
}

/** The headers that let another service continue the present trace; empty outside of any. */
export function traceHeaders(): Record<string, string> {
  const trace = traces.getStore();
  return trace ? { 'x-request-id': trace.requestId, traceparent: traceparentOf(trace) } : {};
}

/** A place in a trace in W3C's `traceparent` form. */
export function traceparentOf({ traceId, spanId, flags }: TracePosition): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** A trace that continues `source`, with a span id of its own; what is missing or malformed is made anew. */
export function traceFrom(source: TraceSource): Trace {
  const parent = positionIn(source);
  return {
    requestId: requestIdIn(source),
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    parentSpanId: parent?.spanId,
    flags: parent?.flags ?? '01',
    span: null,
  };
}

/** The caller's place in its trace; null where it sent none, or none that W3C allows. */
export function positionIn(source: TraceSource): TracePosition | null {
  const text = typeof source === 'string' ? source : readHeader(source, 'traceparent');
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return isZero(traceId) || isZero(spanId) ? null : { traceId, spanId, flags };
}

/** The request id that the caller sent, or a new one. */
export function requestIdIn(source: TraceSource): string {
  const text = typeof source === 'string' ? '' : readHeader(source, 'x-request-id');
  return REQUEST_ID.test(text) ? text : newRequestId();
}

/** An id for a request that came without a usable one. */
export function newRequestId(): string {
  return randomHex(16);
}

const isZero = (hex: string): boolean => /^0+$/.test(hex);

function readHeader(headers: HeaderSource | null | undefined, name: string): string {
  if (!headers) return '';
  const value: unknown =
    typeof headers.get === 'function' ? headers.get(name) : (headers as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
}

// Asking the system for randomness once per 4 KiB costs a fraction of asking for every id.
const pool = Buffer.alloc(4_096);
let usedBytes = pool.length;

function randomHex(lengthBytes: number): string {
  if (usedBytes + lengthBytes > pool.length) {
    randomFillSync(pool);
    usedBytes = 0;
  }
  usedBytes += lengthBytes;
  return pool.toString('hex', usedBytes - lengthBytes, usedBytes);
}
