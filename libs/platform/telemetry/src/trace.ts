/**
 * Which request is being worked on: an id for people and a W3C trace context for tools, kept for everything that a
 * request causes, asynchronous or not, and passed on over NATS headers.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';

/** The identity of one piece of work. */
export interface Trace {
  /** As the caller named it in `x-request-id`, or made here. */
  readonly requestId: string;
  /** 32 lower-case hex digits, shared by everything the first request caused. */
  readonly traceId: string;
  /** 16 lower-case hex digits, of this service's part. */
  readonly spanId: string;
  /** The caller's span, if it sent one. */
  readonly parentSpanId: string | undefined;
  /** W3C trace flags, two hex digits; passed on as they came. */
  readonly flags: string;
}

/** Anything that headers can be read from: NATS headers, a Map, or a plain record in lower case. */
export type HeaderSource = { get(name: string): unknown } | Readonly<Record<string, unknown>>;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const traces = new AsyncLocalStorage<Trace>();

/** The trace that the present work belongs to, or undefined outside of any. */
export function currentTrace(): Trace | undefined {
  return traces.getStore();
}

/** Runs `fn`, and all that it starts, as part of `trace`. */
export function withTrace<T>(trace: Trace, fn: () => T): T {
  return traces.run(trace, fn);
}

/** Runs `fn` as the continuation of what the headers of a message say; of a new trace if they say nothing usable. */
export function withTraceFrom<T>(headers: HeaderSource | undefined, fn: () => T): T {
  return traces.run(traceFrom(headers), fn);
}

/** The headers that let another service continue the present trace; empty outside of any. */
export function traceHeaders(): Record<string, string> {
  const trace = traces.getStore();
  return trace ? { 'x-request-id': trace.requestId, traceparent: traceparentOf(trace) } : {};
}

/** A trace in W3C's `traceparent` form. */
export function traceparentOf(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}

/** Reads a trace from headers, with a span of its own; what is missing or malformed is made anew. */
export function traceFrom(headers: HeaderSource | undefined): Trace {
  const requestId = readHeader(headers, 'x-request-id');
  const [, version, traceId, parentSpanId, flags, more] = TRACEPARENT.exec(readHeader(headers, 'traceparent')) ?? [];
  const isUsable =
    version !== 'ff' && (version !== '00' || more === undefined) && isNotZero(traceId) && isNotZero(parentSpanId);
  return {
    requestId: REQUEST_ID.test(requestId) ? requestId : newRequestId(),
    traceId: isUsable && traceId !== undefined ? traceId : randomHex(16),
    spanId: randomHex(8),
    parentSpanId: isUsable ? parentSpanId : undefined,
    flags: isUsable && flags !== undefined ? flags : '01',
  };
}

/** An id for a request that came without a usable one. */
export function newRequestId(): string {
  return randomHex(16);
}

const isNotZero = (hex: string | undefined): boolean => hex !== undefined && !/^0+$/.test(hex);

function readHeader(headers: HeaderSource | undefined, name: string): string {
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
