export {
  currentTrace,
  currentTraceparent,
  newRequestId,
  traceFrom,
  traceHeaders,
  traceparentOf,
  withTrace,
} from './trace.ts';
export type { HeaderSource, Trace, TracePosition, TraceSource } from './trace.ts';
export { areSpansMade, beginTrace, failSpan, inSharedSpan, inSpan } from './span.ts';
export type { ContinuingSpan, SpanStart } from './span.ts';
export { TRACING_SETTINGS, startTracing } from './start-tracing.ts';
export type { Tracing, TracingOptions, TracingSettings } from './start-tracing.ts';
