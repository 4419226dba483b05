/**
 * Logs, traces, metrics and probes of an HTTP app, by hooks of Fastify: they also see what never reaches Nest, such as
 * bad JSON and unknown addresses.
 */
import type { INestMicroservice } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { publicRoute, scopedRoute, type Scope } from '@onepool/platform-auth';
import { ProblemFilter, problem } from '@onepool/platform-problem';
import { type Trace, newRequestId, traceparentOf, withTrace } from '@onepool/platform-tracing';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger, LogLevel } from './logger.ts';
import { loggedCaller } from './logged-caller.ts';
import { DurationObserver, type Metrics, createMetrics } from './metrics.ts';
import { Readiness, type ReadinessCheck } from './readiness.ts';
import { messageTelemetry } from './message-telemetry.ts';
import { CALLER_LEFT, beginRequestTrace, endRequestSpan } from './request-span.ts';
import { RefusalLog } from './refusal-log.ts';
import { SharedPage } from './shared-page.ts';

/** Collecting costs milliseconds, and anybody may ask. */
const METRICS_KEPT_MS = 1_000;

export interface TelemetryOptions {
  readonly logger: Logger;
  /** Level of the one line per request and message; `info` unless said otherwise, `silent` for none. */
  readonly requestLevel?: LogLevel;
  /** Made here unless given. */
  readonly metrics?: Metrics;
  /** What `/health/ready` asks, by name. */
  readonly readiness?: Readonly<Record<string, ReadinessCheck>>;
  /** What an operator should know of a replica that is ready all the same: sentences. */
  readonly warnings?: () => readonly string[];
  /** Time for each check, in milliseconds; 1,000 unless said otherwise. */
  readonly readinessTimeoutMs?: number;
  /** Scope that `/metrics` asks for; open to anybody unless given. */
  readonly metricsScope?: Scope;
}

export interface Telemetry {
  readonly metrics: Metrics;
  /**
   * Continues callers' traces in message handlers, and logs and measures each message. For one microservice, connected
   * with `{ inheritAppConfig: true, deferInitialization: true }`, before it is started.
   */
  traceMessages(microservice: INestMicroservice): void;
  /** Counts a message that was refused before it was read, for `natsMicroserviceOptions({ onRefused })`. */
  readonly messageRefused: (code: string) => void;
  /** Makes `/health/ready` answer 503 from now on; the first step of a shutdown. */
  drain(): void;
}

/**
 * Adds the hooks, `GET /metrics`, `GET /health/live` and `GET /health/ready`. Call it first of all installers, before
 * `connectMicroservice` and before the app is initialised.
 */
export function installTelemetry(app: NestFastifyApplication, options: TelemetryOptions): Telemetry {
  const metrics = options.metrics ?? createMetrics();
  const readiness = new Readiness(options.readiness ?? {}, options.readinessTimeoutMs ?? 1_000);
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const level = options.requestLevel ?? 'info';
  addRequestHooks(server, metrics, level, options);
  addRoutes(server, metrics, readiness, options);
  const messageHook = messageTelemetry(options.logger, level, metrics);
  const refusals = new RefusalLog(options.logger, metrics);
  return {
    metrics,
    messageRefused: (code) => refusals.count(code),
    drain: () => readiness.drain(),
    traceMessages: (microservice) => void microservice.registerPreRequestHook(messageHook),
  };
}

function addRequestHooks(server: FastifyInstance, metrics: Metrics, level: LogLevel, options: TelemetryOptions): void {
  const durations = new DurationObserver<'method', 'route'>(
    metrics.histogram('http_request_duration_seconds', 'Time to answer a request', ['method', 'route', 'status']),
  );
  const { logger } = options;
  const settle = (request: FastifyRequest, reply: FastifyReply, { span }: Trace, startedMs: number): void => {
    const durationMs = performance.now() - startedMs;
    const route = request.routeOptions.url ?? 'unmatched';
    const status = reply.raw.writableEnded ? reply.raw.statusCode : CALLER_LEFT;
    if (span !== null) endRequestSpan(span, status);
    const method = request.is404 ? 'any' : request.method;
    durations.observe(method, route, String(status), durationMs / 1_000);
    if (level === 'silent' || !logger.isLevelEnabled(level)) return;
    const roundedMs = Math.round(durationMs * 1_000) / 1_000;
    logger[level](
      { method: request.method, route, status, duration_ms: roundedMs, ...loggedCaller(request) },
      'request',
    );
  };

  server.setGenReqId(() => newRequestId());
  server.addHook('onRequest', (request, reply, done) => {
    const startedMs = performance.now();
    const trace = beginRequestTrace(request);
    request.id = trace.requestId;
    reply.header('x-request-id', trace.requestId);
    reply.header('traceparent', traceparentOf(trace));
    // `close` comes once, with the answer or without it; Fastify's onResponse hook misses callers that went away.
    reply.raw.once('close', () => withTrace(trace, () => settle(request, reply, trace, startedMs)));
    withTrace(trace, done);
  });
}

function addRoutes(
  server: FastifyInstance,
  metrics: Metrics,
  readiness: Readiness,
  { metricsScope, warnings = () => [] }: TelemetryOptions,
): void {
  const problems = new ProblemFilter();
  const metricsRoute = metricsScope === undefined ? publicRoute : scopedRoute(metricsScope);
  const page = new SharedPage(() => metrics.registry.metrics(), METRICS_KEPT_MS);
  server.get('/metrics', metricsRoute, async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return page.read();
  });
  server.get('/health/live', publicRoute, () => ({ status: 'live' }));
  server.get('/health/ready', publicRoute, async (request, reply) => {
    const { isReady, checks } = await readiness.report();
    reply.header('cache-control', 'no-store');
    if (isReady) return { status: 'ready', checks, warnings: warnings() };
    const answer = problem('service.unavailable', { detail: 'Not ready.', extensions: { checks } });
    // Answered here and not thrown: a replica that is not ready is no fault to be logged at every probe.
    problems.send(answer, request, reply);
    return reply;
  });
}
