/** Puts the app together; `main.ts` and the specs start it the same way. */
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AVAILABILITY, asyncApiDocument, openApiDocument } from '@onepool/contracts';
import { publishApiDocuments } from '@onepool/platform-api-docs';
import { type IdentityCache, callerOf, installAuth } from '@onepool/platform-auth';
import { UploadPlaces, httpLimits, httpServerOptions } from '@onepool/platform-http';
import { logNatsReports, natsAddress, natsMicroserviceOptions } from '@onepool/platform-messaging';
import { installOperations } from '@onepool/platform-operations';
import { PartitionKeeper, requireSchemas } from '@onepool/platform-postgres';
import {
  type ProblemFilterOptions,
  installProblemHandling,
  parseJsonBody,
  toRpcProblem,
} from '@onepool/platform-problem';
import { type Logger, type Telemetry, createMetrics, installTelemetry, nestLogger } from '@onepool/platform-telemetry';
import { StockEngine } from '@onepool/stock-data-access';
import { AppModule } from './app.module.ts';
import type { AvailabilityConfig } from './config.ts';
import { schemas } from './database.ts';
import { IdentityService } from './identity/identity.module.ts';
import { type OutboxRelay, startOutboxRelay } from './outbox-relay.ts';
import { problemOf, problems } from './problems.ts';
import { engineMetrics } from './stock/engine-metrics.ts';

const BODY_LIMIT_BYTES = 1_048_576;

export interface AvailabilityApp {
  readonly app: NestFastifyApplication;
  readonly engine: StockEngine;
  readonly partitions: PartitionKeeper;
  /** Stops taking requests, lets what was taken finish, and closes every connection. */
  close(): Promise<void>;
}

/**
 * Wires and initialises the app, on a schema that `migrate` has brought up to date. It does not listen yet.
 *
 * @throws OperatorError when a schema is behind or not what this app was made for, or its rights are.
 */
export async function createAvailabilityApp(config: AvailabilityConfig, logger: Logger): Promise<AvailabilityApp> {
  for (const warning of await requireSchemas({ url: config.DATABASE_URL, schemas })) logger.warn(warning);
  const metrics = createMetrics();
  const observed = engineMetrics(metrics, logger);
  const relay = await startOutboxRelay(config, observed.relay, logNatsReports(logger));
  const limits = httpLimits(config);
  const adapter = new FastifyAdapter({ ...httpServerOptions(limits, metrics), bodyLimit: BODY_LIMIT_BYTES });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with({ config, logger, metrics, observed, relay }),
    adapter,
    {
      logger: nestLogger(logger),
      bodyParser: false,
    },
  );
  const engine = app.get(StockEngine);
  const partitions = app.get(PartitionKeeper);
  const telemetry = installTelemetry(app, {
    logger,
    metrics,
    readiness: readinessOf(engine, relay),
    warnings: () => partitions.warnings,
    callerIdOf: (request) => callerOf(request)?.id,
  });
  const auth = installHttpEdge(app, app.get(IdentityService).cache, new UploadPlaces(limits), logger);
  await connectMessages(app, config, telemetry, auth);
  await app.init();
  await app.startAllMicroservices();
  const close = async (): Promise<void> => {
    telemetry.drain();
    await closeApp(app);
    await relay.close();
  };
  return { app, engine, partitions, close };
}

function readinessOf(engine: StockEngine, relay: OutboxRelay) {
  const demand = async (holds: boolean, otherwise: string): Promise<void> => {
    if (!holds) throw new Error(otherwise);
  };
  return {
    postgres: () => engine.lookupPool.query('SELECT 1'),
    nats: () => demand(relay.isConnected(), 'not connected'),
    relay: () =>
      demand(
        relay.isReady(),
        relay.isRefilling() ? 'the stream lost facts, which are published again' : 'the relay makes no progress',
      ),
  };
}

type Auth = ReturnType<typeof installAuth>;

function installHttpEdge(
  app: NestFastifyApplication,
  identity: IdentityCache,
  uploads: UploadPlaces,
  logger: Logger,
): Auth {
  const answers: ProblemFilterOptions = {
    map: problemOf,
    // While a server is away every request fails for the same reason: a line each is enough.
    onFailure: (error, { code, status }) => {
      if (status === 503) logger.warn({ code, reason: reasonOf(error) }, 'request failed');
      else logger.error({ err: error, code }, 'request failed');
    },
  };
  installProblemHandling(app, { bodyLimitBytes: BODY_LIMIT_BYTES, ...answers });
  const auth = installAuth(app, { identity, scopes: AVAILABILITY.scopes });
  installOperations(app, { operations: AVAILABILITY.operations, answers, uploads, csvLimitBytes: BODY_LIMIT_BYTES });
  const server = app.getHttpAdapter().getInstance();
  publishApiDocuments(server, {
    title: AVAILABILITY.title,
    openApi: openApiDocument(AVAILABILITY, problems.definitions),
    asyncApi: asyncApiDocument(AVAILABILITY),
  });
  return auth;
}

async function connectMessages(
  app: NestFastifyApplication,
  config: AvailabilityConfig,
  telemetry: Telemetry,
  auth: Auth,
): Promise<void> {
  const messages = app.connectMicroservice(
    await natsMicroserviceOptions({
      ...natsAddress(config),
      name: config.ONEPOOL_INSTANCE,
      queue: AVAILABILITY.name,
      door: auth.messageDoor,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      parse: (body) => parseJsonBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
      onRefused: telemetry.messageRefused,
      toProblem: (error) => toRpcProblem(problemOf(error) ?? error),
    }),
    { inheritAppConfig: true, deferInitialization: true },
  );
  telemetry.traceMessages(messages);
}

/** A connection whose last answer comes after closing began would be kept alive for a minute, and the close with it. */
async function closeApp(app: NestFastifyApplication): Promise<void> {
  const { server } = app.getHttpAdapter().getInstance();
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}

/** The innermost message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
