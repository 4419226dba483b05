/** Puts an app together; `runApp` and the specs start it the same way. */
import { Module, type Type as NestType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { IDENTITY_SUBJECTS, asyncApiDocument, openApiDocument, queueOf } from '@onepool/contracts';
import { publishApiDocuments } from '@onepool/platform-api-docs';
import { IdentityCache, NatsIdentity, installAuth } from '@onepool/platform-auth';
import { UploadPlaces, httpLimits, httpServerOptions } from '@onepool/platform-http';
import {
  connectNats,
  logNatsReports,
  monitorConnection,
  natsAddress,
  natsMicroserviceOptions,
} from '@onepool/platform-messaging';
import { keepHooksToApp } from '@onepool/platform-nest';
import { installOperations } from '@onepool/platform-operations';
import { requireSchemas } from '@onepool/platform-postgres';
import {
  type ProblemFilterOptions,
  defineProblems,
  installProblemHandling,
  parseJsonBody,
  toRpcProblem,
} from '@onepool/platform-problem';
import { type Logger, type Telemetry, createMetrics, installTelemetry, nestLogger } from '@onepool/platform-telemetry';
import type { AppDefinition } from './app-definition.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { SchemaHousekeeping } from './housekeeping.ts';
import type { KitConfig } from './kit-settings.ts';
import { relayMetrics } from './relay-metrics.ts';
import { Relays } from './relays.ts';
import { type Surroundings, SurroundingsModule } from './surroundings.ts';

const BODY_LIMIT_BYTES = 1_048_576;
const PROBE_CONNECTIONS = 1;

export interface StartedApp {
  readonly app: NestFastifyApplication;
  readonly housekeeping: SchemaHousekeeping;
  /** Stops taking requests, lets what was taken finish, and closes every connection. */
  close(): Promise<void>;
}

/**
 * Wires and initialises an app, on schemas that `migrateApp` has brought up to date. It does not listen yet. A start that
 * fails leaves no connection behind.
 *
 * @throws OperatorError when a schema is behind or not what this app was made for, or its rights are, or NATS is away.
 */
export async function createApp<C extends KitConfig>(
  definition: AppDefinition<C>,
  config: C,
  logger: Logger,
): Promise<StartedApp> {
  for (const warning of await requireSchemas({ url: config.DATABASE_URL, schemas: definition.schemas })) {
    logger.warn(warning);
  }
  const closing: (() => Promise<unknown>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closing.reverse().splice(0)) await close();
  };
  try {
    return await assemble(definition, config, logger, closing, closeAll);
  } catch (error) {
    await closeAll().catch((later: unknown) => logger.warn({ err: later }, 'after a failed start'));
    throw error;
  }
}

async function assemble<C extends KitConfig>(
  definition: AppDefinition<C>,
  config: C,
  logger: Logger,
  closing: (() => Promise<unknown>)[],
  closeAll: () => Promise<void>,
): Promise<StartedApp> {
  const metrics = createMetrics();
  const foundation = { config, logger, metrics };
  const instance = config.ONEPOOL_INSTANCE;
  const { connectionsMax } = definition;
  const most = typeof connectionsMax === 'number' ? connectionsMax : connectionsMax(config);
  const connections = new ConnectionBudget(most, { url: config.DATABASE_URL, instance }, metrics);
  const report = logNatsReports(logger);
  const nats = await connectNats({ ...natsAddress(config), name: `${instance}-facts`, report });
  closing.push(() => nats.close());
  const monitor = monitorConnection(nats);
  closing.push(async () => monitor.stop());
  const { schemas } = definition;
  const isConnected = (): boolean => monitor.isConnected();
  const hooksOf = relayMetrics(metrics, logger);
  const relays = new Relays({
    schemas,
    streamReplicas: config.NATS_STREAM_REPLICAS,
    connection: nats,
    connections,
    isConnected,
    hooksOf,
  });
  closing.push(() => relays.close());
  const outboxDays = config.ONEPOOL_OUTBOX_DAYS;
  const housekeeping = new SchemaHousekeeping({ schemas, connections, outboxDays, logger, metrics });
  closing.push(() => housekeeping.stop());
  const probe = connections.pool('probe', PROBE_CONNECTIONS, {});
  closing.push(() => probe.end());
  const ownIdentity = definition.identity === undefined ? await identityOverNats(config, closing) : undefined;

  const limits = httpLimits(config);
  const adapter = new FastifyAdapter({ ...httpServerOptions(limits, metrics), bodyLimit: BODY_LIMIT_BYTES });
  const root = rootModule(definition, { ...foundation, relays, nats, connections });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  closing.push(() => closeNest(app));
  const telemetry = installTelemetry(app, {
    logger,
    metrics,
    readiness: {
      postgres: () => probe.query('SELECT 1'),
      nats: () => demand(isConnected() ? undefined : 'not connected'),
      relay: () => demand(relays.trouble),
      ...definition.readiness?.(app),
    },
    warnings: () => [...housekeeping.warnings, ...relays.warnings],
  });
  closing.push(async () => telemetry.drain());
  const identity = ownIdentity ?? definition.identity?.(app);
  if (identity === undefined) throw new Error('Broken invariant: there is nobody to ask who is calling');
  await openEdges(app, definition, config, { identity, telemetry, uploads: new UploadPlaces(limits), logger });
  await app.init();
  await app.startAllMicroservices();
  housekeeping.start();
  return { app, housekeeping, close: closeAll };
}

/** Its connection is its own: what else the app does over NATS keeps no revoked key alive. */
async function identityOverNats(config: KitConfig, closing: (() => Promise<unknown>)[]): Promise<IdentityCache> {
  const connection = await connectNats({ ...natsAddress(config), name: `${config.ONEPOOL_INSTANCE}-identity` });
  closing.push(() => connection.close());
  const cache = new IdentityCache(new NatsIdentity({ connection, subjects: IDENTITY_SUBJECTS }));
  cache.start();
  closing.push(() => cache.stop());
  return cache;
}

function rootModule<C extends KitConfig>(definition: AppDefinition<C>, surroundings: Surroundings): NestType {
  const others = definition.providers?.(surroundings as Surroundings & { readonly config: C }) ?? [];
  @Module({ imports: [SurroundingsModule.of(surroundings, others), ...definition.modules] })
  class RootModule {}
  return RootModule;
}

async function demand(trouble: string | undefined): Promise<void> {
  if (trouble !== undefined) throw new Error(trouble);
}

interface Edges {
  readonly identity: IdentityCache;
  readonly telemetry: Telemetry;
  readonly uploads: UploadPlaces;
  readonly logger: Logger;
}

/** HTTP and NATS, with problems, auth and the contract's operations on both. The order is that of the installers. */
async function openEdges(
  app: NestFastifyApplication,
  { contract, problemOf }: Pick<AppDefinition, 'contract' | 'problemOf'>,
  config: KitConfig,
  { identity, telemetry, uploads, logger }: Edges,
): Promise<void> {
  const answers: ProblemFilterOptions = {
    ...(problemOf && { map: problemOf }),
    // While a server is away every request fails for the same reason: a line each is enough.
    onFailure: (error, { code, status }) => {
      if (status === 503) logger.warn({ code, reason: reasonOf(error) }, 'request failed');
      else logger.error({ err: error, code }, 'request failed');
    },
  };
  installProblemHandling(app, { bodyLimitBytes: BODY_LIMIT_BYTES, ...answers });
  const auth = installAuth(app, { identity, scopes: contract.scopes });
  installOperations(app, { operations: contract.operations, answers, uploads, csvLimitBytes: BODY_LIMIT_BYTES });
  publishApiDocuments(app.getHttpAdapter().getInstance(), {
    title: contract.title,
    openApi: openApiDocument(contract, defineProblems(contract.problems).definitions),
    asyncApi: asyncApiDocument(contract),
  });
  const messages = app.connectMicroservice(
    await natsMicroserviceOptions({
      ...natsAddress(config),
      name: config.ONEPOOL_INSTANCE,
      queue: queueOf,
      door: auth.messageDoor,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      parse: (body) => parseJsonBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
      onRefused: telemetry.messageRefused,
      toProblem: (error) => toRpcProblem(problemOf?.(error) ?? error),
    }),
    { inheritAppConfig: true, deferInitialization: true },
  );
  keepHooksToApp(messages);
  telemetry.traceMessages(messages);
}

/** A connection whose last answer comes after closing began would be kept alive for a minute, and the close with it. */
async function closeNest(app: NestFastifyApplication): Promise<void> {
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
