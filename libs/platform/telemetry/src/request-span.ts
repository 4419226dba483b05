/** The span of an HTTP request, after OpenTelemetry's conventions for servers. */
import { type Trace, beginTrace, failSpan, traceFrom } from '@onepool/platform-tracing';
import type { Span } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';

/** How proxies log a caller that went away before its answer. */
export const CALLER_LEFT = 499;

/** Asked every few seconds by machines; as spans they would bury the others. */
const PROBES: ReadonlySet<string | undefined> = new Set(['/metrics', '/health/live', '/health/ready']);

/** Continues the caller's trace, or begins one. */
export function beginRequestTrace(request: FastifyRequest): Trace {
  if (PROBES.has(request.routeOptions.url)) return traceFrom(request.headers);
  return beginTrace(request.headers, () => {
    const { method } = request;
    const route = request.routeOptions.url;
    const attributes = { 'http.request.method': method, 'url.scheme': request.protocol };
    // The template alone: whatever a caller writes into an address, a key even, stays out of traces.
    if (route === undefined) return { name: method, kind: 'server', attributes };
    return { name: `${method} ${route}`, kind: 'server', attributes: { ...attributes, 'http.route': route } };
  });
}

/** Ends it with its status; that a caller left, or asked for what it cannot have, is no failure of ours. */
export function endRequestSpan(span: Span, status: number): void {
  if (status >= 500) failSpan(span, String(status));
  span.setAttribute('http.response.status_code', status).end();
}
