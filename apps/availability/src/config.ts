/** Settings of the availability app, all from the environment. */
import { type Static, Type } from '@sinclair/typebox';
import { secret } from '@onepool/platform-config';
import type { Address } from '@onepool/platform-postgres';
import { HTTP_SETTINGS } from '@onepool/platform-http';
import { NATS_SETTINGS } from '@onepool/platform-messaging';
import { LOG_LEVELS } from '@onepool/platform-telemetry';
import { TRACING_SETTINGS } from '@onepool/platform-tracing';
import { LANES_DEFAULT } from '@onepool/stock-data-access';

export const AvailabilityConfig = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3001, description: 'HTTP port; 0 takes a free one.' }),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
  ...HTTP_SETTINGS,
  DATABASE_URL: secret(Type.String({ minLength: 1, description: 'PostgreSQL, `postgres://…`.' })),
  ...NATS_SETTINGS,
  LOG_LEVEL: Type.Union(
    LOG_LEVELS.map((level) => Type.Literal(level)),
    { default: 'info', description: 'Least severe log line that is written.' },
  ),
  ...TRACING_SETTINGS,
  ONEPOOL_INSTANCE: Type.String({
    default: 'availability-1',
    description: 'Name of this replica in logs and connections.',
  }),
  ONEPOOL_LANES: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: LANES_DEFAULT,
    description: 'Lanes for single-SKU commands; unless given, one fewer than cores, 1 to 4.',
  }),
  ONEPOOL_DEADLINE_MS: Type.Integer({
    minimum: 100,
    maximum: 120_000,
    default: 10_000,
    description: 'Longest wait for a command.',
  }),
  ONEPOOL_LOCKS_IDLE_MS: Type.Integer({
    minimum: 100,
    maximum: 60_000,
    default: 1_000,
    description: 'How long a replica that stopped may keep its locks.',
  }),
  ONEPOOL_OUTBOX_DAYS: Type.Integer({
    minimum: 7,
    maximum: 3_650,
    default: 7,
    description: 'How long published facts are kept; the stream can be rebuilt from them.',
  }),
  ONEPOOL_COMMAND_DAYS: Type.Integer({
    minimum: 7,
    maximum: 3_650,
    default: 90,
    description: 'How long effects of commands are kept; a command repeated later takes effect again.',
  }),
});
export type AvailabilityConfig = Static<typeof AvailabilityConfig>;

/** What programs need that change the schema or its keys; the app itself does not know the owner. */
export const ownerUrls = {
  DATABASE_URL: AvailabilityConfig.properties.DATABASE_URL,
  DATABASE_OWNER_URL: Type.Optional(
    secret(
      Type.String({ minLength: 1, description: 'The same database, as the role that owns the schema: DATABASE_URL.' }),
    ),
  ),
};

export const ownerAddress = (addresses: {
  readonly DATABASE_URL: string;
  readonly DATABASE_OWNER_URL?: string;
}): Address =>
  addresses.DATABASE_OWNER_URL === undefined
    ? { url: addresses.DATABASE_URL, setting: 'DATABASE_URL' }
    : { url: addresses.DATABASE_OWNER_URL, setting: 'DATABASE_OWNER_URL' };

/** Of the identity, which may move out with it one day. */
export const IDENTITY_SCHEMA = 'identity';
/** The app's own PostgreSQL schema. */
export const SCHEMA = 'availability';
/** Outbox partitions; changing it needs a drained outbox. */
export const PARTITION_COUNT = 8;
