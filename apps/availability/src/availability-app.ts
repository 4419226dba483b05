/** Puts the app together; `main.ts` and the specs start it the same way. */
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { FACTS_STREAM, FACTS_SUBJECTS, openApiDocument, asyncApiDocument } from '@onepool/contracts';
import { CachingApiKeyStore, PostgresApiKeyStore, clientOf, installAuth, publicRoute } from '@onepool/platform-auth';
import { connectNats, monitorConnection, natsMicroserviceOptions, startRelay } from '@onepool/platform-messaging';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import {
  type ProblemFilterOptions,
  installProblemHandling,
  parseJsonBody,
  problem,
  problemServerOptions,
  toRpcProblem,
} from '@onepool/platform-problem';
import {
  type Logger,
  createMetrics,
  currentTrace,
  installTelemetry,
  nestLogger,
  traceparentOf,
} from '@onepool/platform-telemetry';
import { Housekeeping, Retention, StockEngine, StockFeeds, StockMemory } from '@onepool/stock-data-access';
import { AppModule } from './app.module.ts';
import { csvText } from './catalog-edge.ts';
import { type AvailabilityConfig, PARTITION_COUNT, SCHEMA } from './config.ts';
import { installFeedUpload } from './edges/feeds.controller.ts';
import { engineMetrics } from './engine-metrics.ts';
import { migrations } from './migrations/index.ts';
import { problemOf } from './problems.ts';

const BODY_LIMIT_BYTES = 1_048_576;

export interface AvailabilityApp {
  readonly app: NestFastifyApplication;
  readonly engine: StockEngine;
  /** Stops taking requests, lets what was taken finish, and closes every connection. */
  close(): Promise<void>;
}

/** The W3C traceparent of the request under way, for the facts that it causes. */
function currentTraceparent(): string | null {
  const trace = currentTrace();
  return trace ? traceparentOf(trace) : null;
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

/** The limits of an HTTP body hold for a message's too, whatever the server would carry. */
function parseMessageBody(body: Uint8Array): unknown {
  if (body.byteLength > BODY_LIMIT_BYTES) throw problem('request.too_large');
  return parseJsonBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

/** Migrates, wires and initialises the app. It does not listen yet. */
export async function createAvailabilityApp(config: AvailabilityConfig, logger: Logger): Promise<AvailabilityApp> {
  await runMigrations({ url: config.DATABASE_URL, schema: SCHEMA, migrations });
  const metrics = createMetrics();
  const observed = engineMetrics(metrics, logger);
  const connection = await connectNats({ url: config.NATS_URL, name: `${config.ONEPOOL_INSTANCE}-relay` });
  const nats = monitorConnection(connection);
  const relayPool = createPool({
    url: config.DATABASE_URL,
    max: 2,
    schema: SCHEMA,
    applicationName: `${config.ONEPOOL_INSTANCE}-relay`,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 3_000,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  });
  const relay = startRelay({
    pool: relayPool,
    connection,
    schema: SCHEMA,
    stream: { name: FACTS_STREAM, subjects: [...FACTS_SUBJECTS] },
    partitionCount: PARTITION_COUNT,
    leaseMs: 5_000,
    publishTimeoutMs: 2_000,
    hooks: observed.relay,
  });
  const engine = new StockEngine({
    url: config.DATABASE_URL,
    name: config.ONEPOOL_INSTANCE,
    schema: SCHEMA,
    partitionCount: PARTITION_COUNT,
    lanes: config.ONEPOOL_LANES,
    deadlineMs: config.ONEPOOL_DEADLINE_MS,
    idleInTransactionTimeoutMs: config.ONEPOOL_LOCKS_IDLE_MS,
    hooks: observed.lane,
    onCommitted: () => relay.nudge(),
    traceOf: currentTraceparent,
    onConnectionError: (error) => logger.warn({ err: error }, 'database connection lost'),
  });
  observed.watch(engine);
  const memory = new StockMemory({
    pool: engine.readPool,
    session: engine.lookupPool,
    schema: SCHEMA,
    rules: engine.rules,
    onError: (error) => logger.warn({ err: error }, 'memory of stock lost; reads go to the database meanwhile'),
  });
  const housekeeping = new Housekeeping(engine, {
    onError: (error) => logger.warn({ err: error }, 'housekeeping failed; it goes on'),
  });
  const retention = new Retention({
    pool: engine.auditPool,
    schema: SCHEMA,
    outboxDays: config.ONEPOOL_OUTBOX_DAYS,
    commandDays: config.ONEPOOL_COMMAND_DAYS,
    onDone: (forgotten) => logger.info({ forgotten }, 'retention: old rows are gone'),
    onError: (error) => logger.warn({ err: error }, 'retention failed; it is tried again'),
  });
  const feeds = new StockFeeds({
    url: config.DATABASE_URL,
    schema: SCHEMA,
    partitionCount: PARTITION_COUNT,
    onCommitted: () => relay.nudge(),
    onError: (error) => logger.warn({ err: error }, 'applying a feed failed; it is taken up again'),
    onConnectionError: (error) => logger.warn({ err: error }, 'database connection lost'),
  });

  const adapter = new FastifyAdapter({ ...problemServerOptions(), bodyLimit: BODY_LIMIT_BYTES });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config, engine, memory, feeds), adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
  });
  const telemetry = installTelemetry(app, {
    logger,
    metrics,
    readiness: {
      postgres: () => engine.lookupPool.query('SELECT 1'),
      nats: () => (nats.isConnected() ? Promise.resolve() : Promise.reject(new Error('not connected'))),
      relay: () => (relay.isReady() ? Promise.resolve() : Promise.reject(new Error('the relay makes no progress'))),
    },
    clientIdOf: (request) => clientOf(request)?.id,
  });
  const answers: ProblemFilterOptions = {
    map: problemOf,
    onFailure: (error, answer) => logger.error({ err: error, code: answer.code }, 'request failed'),
  };
  installProblemHandling(app, { bodyLimit_bytes: BODY_LIMIT_BYTES, ...answers });
  app.useBodyParser('text/csv', { bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => {
    try {
      done(null, csvText(body));
    } catch (error) {
      done(error as Error);
    }
  });
  const auth = installAuth(app, { store: new CachingApiKeyStore(new PostgresApiKeyStore(engine.lookupPool, SCHEMA)) });
  installFeedUpload(app, feeds, answers);
  const server = app.getHttpAdapter().getInstance();
  const openApi = openApiDocument();
  const asyncApi = asyncApiDocument();
  server.get('/openapi.json', publicRoute, () => openApi);
  server.get('/asyncapi.json', publicRoute, () => asyncApi);
  const messages = app.connectMicroservice(
    natsMicroserviceOptions({
      url: config.NATS_URL,
      name: config.ONEPOOL_INSTANCE,
      queue: 'availability',
      parse: parseMessageBody,
      toProblem: (error) => toRpcProblem(problemOf(error) ?? error),
    }),
    { inheritAppConfig: true, deferInitialization: true },
  );
  telemetry.traceMessages(messages);
  auth.boundMessages(messages);
  await app.init();
  await app.startAllMicroservices();
  housekeeping.start();
  retention.start();
  feeds.worker.start();
  memory.start();
  const close = async (): Promise<void> => {
    telemetry.drain();
    await housekeeping.stop();
    await retention.stop();
    await memory.stop();
    await closeApp(app);
    await feeds.close();
    await engine.close();
    await relay.stop();
    nats.stop();
    await connection.close();
    await relayPool.end();
  };
  return { app, engine, close };
}
