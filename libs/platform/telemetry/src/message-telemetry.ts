import type { PreRequestHook } from '@nestjs/common';
import { Observable } from 'rxjs';
import { type HeaderSource, type SpanStart, beginTrace, failSpan, withTrace } from '@onepool/platform-tracing';
import { loggedCaller } from './logged-caller.ts';
import type { Logger, LogLevel } from './logger.ts';
import { DurationObserver, type Metrics } from './metrics.ts';

/**
 * A hook around Nest's whole message pipeline, guards included: continues the caller's trace, logs one line and
 * measures. (A global interceptor would do, were it not also run for every HTTP request, at a price.)
 */
export function messageTelemetry(logger: Logger, level: LogLevel, metrics: Metrics): PreRequestHook {
  const durations = new DurationObserver<'transport', 'handler'>(
    metrics.histogram('rpc_request_duration_seconds', 'Time to answer a message', ['transport', 'handler', 'status']),
  );
  const settle = (message: object, handler: string, status: string, durationMs: number): void => {
    durations.observe('nats', handler, status, durationMs / 1_000);
    if (level === 'silent' || !logger.isLevelEnabled(level)) return;
    const roundedMs = Math.round(durationMs * 1_000) / 1_000;
    logger[level]({ handler, status, duration_ms: roundedMs, ...loggedCaller(message) }, 'message');
  };
  return (context, next) => {
    // The handler's name, and not the subject, which a wildcard would make unbounded.
    const handler = `${context.getClass().name}.${context.getHandler().name}`;
    const message: object = context.switchToRpc().getContext();
    const trace = beginTrace(headersOf(message), () => spanOf(handler, message));
    return new Observable((subscriber) => {
      const startedMs = performance.now();
      let status = 'cancelled';
      const pipeline = withTrace(trace, () =>
        next().subscribe({
          next: (value) => {
            status = 'ok';
            subscriber.next(value);
          },
          error: (error: unknown) => {
            status = codeOf(error);
            subscriber.error(error);
          },
          complete: () => {
            status = 'ok';
            subscriber.complete();
          },
        }),
      );
      return () => {
        pipeline.unsubscribe();
        withTrace(trace, () => settle(message, handler, status, performance.now() - startedMs));
        if (status === 'internal' || status === 'service.unavailable') failSpan(trace.span, status);
        trace.span?.setAttribute('rpc.response.status_code', status).end();
      };
    });
  };
}

/**
 * Problem codes are a bounded set; anything else that is thrown counts as one. An app's own errors are seen here before
 * its filter makes problems of them, so that a code is known by its look: PostgreSQL's and Node's are upper case.
 */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[a-z_]+(\.[a-z_]+)*$/.test(code) ? code : 'internal';
}

/** Names are those of OpenTelemetry's conventions for remote procedure calls. */
function spanOf(handler: string, message: object): SpanStart {
  const subject: unknown = call(message, 'getSubject');
  const attributes = {
    'rpc.system.name': 'nats',
    'rpc.method': handler,
    'messaging.destination.name': String(subject),
  };
  return { name: handler, kind: 'server', attributes };
}

function headersOf(message: object): HeaderSource | undefined {
  const headers: unknown = call(message, 'getHeaders');
  return typeof headers === 'object' && headers !== null ? (headers as HeaderSource) : undefined;
}

/** Nest's context of a message depends on the transport; what a transport lacks is undefined. */
function call(message: object, name: 'getHeaders' | 'getSubject'): unknown {
  const method: unknown = (message as Partial<Record<typeof name, unknown>>)[name];
  return typeof method === 'function' ? (method.call(message) as unknown) : undefined;
}
