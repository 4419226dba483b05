/**
 * The whole app for specs: in-process, on a database and a NATS account of its own, called over real HTTP and real NATS.
 * Every answer is held against the contracts on its way: a success against the response schema, a refusal against RFC
 * 9457 and the codes that its operation lists.
 */
import { headers as natsHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { AVAILABILITY_OPERATIONS, AVAILABILITY_SCOPES } from '@onepool/contracts';
import { IdentityAdmin, type NewKey } from '@onepool/identity-data-access';
import { type Scope, createApiKey } from '@onepool/platform-auth';
import { loadConfig } from '@onepool/platform-config';
import { connectNats } from '@onepool/platform-messaging';
import { createPool } from '@onepool/platform-postgres';
import { type Logger, createLogger } from '@onepool/platform-telemetry';
import { type TestNats, createTestNatsAccount } from '@onepool/testing-servers';
import type pg from 'pg';
import { request } from 'undici';
import { type AvailabilityApp, createAvailabilityApp } from '../availability-app.ts';
import { AvailabilityConfig, IDENTITY_SCHEMA, SCHEMA } from '../config.ts';
import { type DatabaseAddresses, createMigratedDatabase, migrated } from './migrated-database.ts';
import { type Answer, type OperationId, checkAnswer, operationOf } from './answer.ts';

export type { Answer, OperationId };

/** What a call sends. A body or payload that is a string or bytes goes out as it is, anything else as JSON. */
export interface Call {
  readonly params?: Readonly<Record<string, string>>;
  /** Over HTTP as text, over NATS as it is. A string goes out as it is. */
  readonly query?: Readonly<Record<string, string | number | boolean>> | string;
  readonly body?: unknown;
  /** `null` sends no key; absent, the key of the fixture's own client, which may do everything. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long an answer over NATS is waited for; so long that nothing but a lost message takes longer, unless given. */
  readonly timeoutMs?: number;
}

export interface AppFixture {
  readonly availability: AvailabilityApp;
  readonly database: DatabaseAddresses;
  /** What the app was made with, to make a second replica. */
  readonly config: AvailabilityConfig;
  readonly logger: Logger;
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  readonly caller: NatsConnection;
  /** Of the schema's owner, for what a spec sets up or looks at by SQL; the app itself has rows only. */
  readonly pool: pg.Pool;
  /** Every line the app has logged. */
  readonly log: readonly string[];
  /** The key of the fixture's own principal, which may do everything, and the principal's id. */
  readonly key: string;
  readonly principal: string;
  readonly identity: IdentityAdmin;
  /** A key of the named service, which is made where it does not exist. */
  makeKey(name: string, scopes: readonly Scope[], more?: Partial<Omit<NewKey, 'scopes' | 'sha256'>>): Promise<string>;
  http(id: OperationId, call?: Call): Promise<Answer>;
  /** The same operation over NATS: path parameters, query and body are one object. */
  rpc(id: OperationId, call?: Call): Promise<Answer>;
  /** Any address, with no contract to hold the answer against. */
  fetch(method: 'GET' | 'POST' | 'PUT', path: string, call?: Call): Promise<Answer>;
  /** Closes everything but the app, for a spec that has closed that itself. */
  closeServers(): Promise<void>;
  close(): Promise<void>;
}

export interface FixtureOptions {
  /** A database that outlives the fixture; by default one of its own, on the shared server. */
  readonly database?: DatabaseAddresses;
  /** A server of the spec's own, which it may end, and which the fixture stops; by default an account on the shared one. */
  readonly nats?: TestNats;
  readonly config?: Partial<AvailabilityConfig>;
}

export const CLIENT = 'spec';
const RPC_TIMEOUT_MS = 60_000;

export async function createAppFixture(options: FixtureOptions = {}): Promise<AppFixture> {
  const [database, nats] = await Promise.all([
    options.database === undefined
      ? createMigratedDatabase()
      : migrated(options.database).then((given) => ({ ...given, drop: nothing })),
    options.nats ?? createTestNatsAccount(),
  ]);
  const log: string[] = [];
  const logger = createLogger({ name: 'spec', destination: { write: (line: string) => void log.push(line) } });
  const config = { ...configFor(database.url, nats.url), ...options.config };
  const availability = await createAvailabilityApp(config, logger);
  await availability.app.listen(0, config.HOST);
  const origin = await availability.app.getUrl();
  const caller = await connectNats({ url: nats.url, name: 'spec-caller' });
  const pool = poolFor(database.ownerUrl);
  const identity = new IdentityAdmin(pool, IDENTITY_SCHEMA);
  const ids = new Map<string, string>();
  const principalOf = async (name: string): Promise<string> => {
    const scopes = ['all', ...Object.keys(AVAILABILITY_SCOPES)];
    const all = { kind: 'service', scopes, roles: [], nodes: null, channels: null } as const;
    const id = ids.get(name) ?? (await identity.addPrincipal({ name, ...all }));
    ids.set(name, id);
    return id;
  };
  const makeKey: AppFixture['makeKey'] = async (name, scopes, more) => {
    const { key, sha256 } = createApiKey();
    await identity.addKey(await principalOf(name), {
      sha256,
      scopes,
      nodes: null,
      channels: null,
      expiresAt: null,
      ...more,
    });
    return key;
  };
  const key = await makeKey(CLIENT, Object.keys(AVAILABILITY_SCOPES));
  const principal = await principalOf(CLIENT);
  const keyOf = (call: Call): string | null => (call.key === undefined ? key : call.key);
  const fetch: AppFixture['fetch'] = (method, path, call = {}) => send(origin, method, path, keyOf(call), call);
  const closeServers = async (): Promise<void> => {
    await Promise.all([caller.close(), pool.end()]);
    await Promise.all([nats.stop(), database.drop()]);
  };
  return {
    availability,
    database,
    config,
    logger,
    origin,
    caller,
    pool,
    log,
    key,
    principal,
    identity,
    makeKey,
    fetch,
    http: async (id, call = {}) => {
      const { method, path } = operationOf(id).http;
      return checkAnswer(id, await fetch(method, addressOf(path, call), call));
    },
    rpc: async (id, call = {}) => checkAnswer(id, await ask(caller, id, keyOf(call), call)),
    closeServers,
    close: async () => {
      await availability.close();
      await closeServers();
    },
  };
}

/** Operations that can be called over NATS too. */
export const subjects = Object.entries(AVAILABILITY_OPERATIONS).flatMap(([id, operation]) =>
  'subject' in operation ? [[id as OperationId, operation.subject] as const] : [],
);

/** Waits until `look` gives something other than undefined, or fails after 60 s with the last thing it threw. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadlineMs) break;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It did not happen within 60 s');
}

const nothing = (): Promise<void> => Promise.resolve();

const configFor = (databaseUrl: string, natsUrl: string): AvailabilityConfig => ({
  ...loadConfig(AvailabilityConfig, { DATABASE_URL: databaseUrl, NATS_URL: natsUrl }),
  PORT: 0,
  ONEPOOL_INSTANCE: 'availability-spec',
  ONEPOOL_COMMIT_QUEUES: 2,
  ONEPOOL_DEADLINE_MS: 60_000,
  ONEPOOL_LOCKS_IDLE_MS: 10_000,
});

const poolFor = (url: string): pg.Pool =>
  createPool({
    url,
    max: 4,
    schema: SCHEMA,
    applicationName: 'spec',
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 10_000,
    connectTimeoutMs: 20_000,
  });

function addressOf(template: string, { params = {}, query }: Call): string {
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search =
    typeof query === 'string'
      ? query
      : new URLSearchParams({ ...(query as Record<string, string> | undefined) }).toString();
  return search === '' ? path : `${path}?${search}`;
}

const isRaw = (body: unknown): body is string | Buffer => typeof body === 'string' || Buffer.isBuffer(body);

async function send(origin: string, method: 'GET' | 'POST' | 'PUT', path: string, key: string | null, call: Call) {
  const { body } = call;
  const response = await request(`${origin}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const contentType = String(response.headers['content-type'] ?? '');
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  return { status: response.statusCode, contentType, headers, body: parsed(text, contentType) };
}

const parsed = (text: string, contentType: string): unknown => (contentType.includes('json') ? JSON.parse(text) : text);

async function ask(caller: NatsConnection, id: OperationId, key: string | null, call: Call): Promise<Answer> {
  const { subject } = operationOf(id);
  if (subject === undefined) throw new Error(`${id} is not offered over NATS`);
  const headers: MsgHdrs = natsHeaders();
  if (key !== null) headers.set('authorization', `Bearer ${key}`);
  for (const [name, value] of Object.entries(call.headers ?? {})) headers.set(name, value);
  const query = typeof call.query === 'string' ? Object.fromEntries(new URLSearchParams(call.query)) : call.query;
  const payload = isRaw(call.body)
    ? call.body
    : JSON.stringify({ ...call.params, ...query, ...(call.body as Record<string, unknown> | undefined) });
  const reply = await caller.request(subject, payload, { headers, timeout: call.timeoutMs ?? RPC_TIMEOUT_MS });
  const contentType = reply.headers?.get('content-type') ?? '';
  const names = reply.headers?.keys() ?? [];
  return {
    status: Number(reply.headers?.get('onepool-status')),
    contentType,
    headers: Object.fromEntries(names.map((name) => [name, reply.headers?.get(name) ?? ''])),
    body: reply.json(),
  };
}
