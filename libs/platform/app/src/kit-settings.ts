/** Settings that every app has, all from the environment. */
import { type Static, type TObject, type TProperties, Type } from '@sinclair/typebox';
import { secret } from '@onepool/platform-config';
import { HTTP_SETTINGS } from '@onepool/platform-http';
import { MIN_OUTBOX_DAYS, NATS_SETTINGS } from '@onepool/platform-messaging';
import type { Address } from '@onepool/platform-postgres';
import { LOG_LEVELS } from '@onepool/platform-telemetry';
import { TRACING_SETTINGS } from '@onepool/platform-tracing';

const DATABASE_URL = secret(Type.String({ minLength: 1, description: 'PostgreSQL, `postgres://…`.' }));

interface Named {
  readonly name: string;
  /** The app's own port, which it takes unless PORT says another. */
  readonly port: number;
}

const kitSettings = (app: Named) => ({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: app.port, description: 'HTTP port; 0 takes a free one.' }),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
  ...HTTP_SETTINGS,
  DATABASE_URL,
  ...NATS_SETTINGS,
  NATS_PROVISIONED: Type.Boolean({
    default: false,
    description: 'Whether whoever operates NATS makes the durable consumers and the stream of dead letters.',
  }),
  LOG_LEVEL: Type.Union(
    LOG_LEVELS.map((level) => Type.Literal(level)),
    { default: 'info', description: 'Least severe log line that is written.' },
  ),
  ...TRACING_SETTINGS,
  ONEPOOL_INSTANCE: Type.String({
    default: `${app.name}-1`,
    description: 'Name of this replica in logs and connections.',
  }),
  ONEPOOL_OUTBOX_DAYS: Type.Integer({
    minimum: MIN_OUTBOX_DAYS,
    maximum: 3_650,
    default: MIN_OUTBOX_DAYS,
    description: 'How long published facts are kept; the stream can be rebuilt from them.',
  }),
});
export type KitConfig = Static<TObject<ReturnType<typeof kitSettings>>>;

/** The settings of an app: those that every app has, and its own. */
export const kitConfig = <const Own extends TProperties = Record<never, never>>(app: Named, own: Own = {} as Own) =>
  Type.Object({ ...kitSettings(app), ...own });

/** What programs need that change the schema or its keys; the app itself does not know the owner. */
export const OWNER_SETTINGS = {
  DATABASE_URL,
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
