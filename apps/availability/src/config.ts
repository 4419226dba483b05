/** Settings of the availability app, all from the environment. */
import { type Static, Type } from '@sinclair/typebox';
import { kitConfig } from '@onepool/platform-app';
import { QUEUES_DEFAULT } from '@onepool/stock-data-access';

const AVAILABILITY_SETTINGS = {
  ONEPOOL_COMMIT_QUEUES: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: QUEUES_DEFAULT,
    description: 'Commit queues for single-SKU commands; unless given, one fewer than cores, 1 to 4.',
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
  ONEPOOL_SHORT_HOURS: Type.Integer({
    minimum: 1,
    maximum: 8_760,
    default: 24,
    description: 'How long an order may think about units that are short before they are given up.',
  }),
  ONEPOOL_COMMAND_DAYS: Type.Integer({
    minimum: 7,
    maximum: 3_650,
    default: 90,
    description: 'How long effects of commands are kept; a command repeated later takes effect again.',
  }),
  ONEPOOL_FEED_DAYS: Type.Integer({
    minimum: 7,
    maximum: 3_650,
    default: 90,
    description: 'How long feeds that ended, their refusals, closed exceptions and closed inspections are kept.',
  }),
  ONEPOOL_FEED_GUARD_ZEROED_PERCENT: Type.Integer({
    minimum: 0,
    maximum: 100,
    default: 20,
    description: 'Largest share of the rows with units in its scope that a full count zeroes unapproved; 100: any.',
  }),
  ONEPOOL_FEED_GUARD_MIN_ROWS: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 50,
    description: 'How many rows with units there have to be before that share counts.',
  }),
};

export const AvailabilityConfig = kitConfig({ name: 'availability', port: 3001 }, AVAILABILITY_SETTINGS);
export type AvailabilityConfig = Static<typeof AvailabilityConfig>;

/** Of the identity, which may move out with it one day. */
export const IDENTITY_SCHEMA = 'identity';
/** Of the catalogue, likewise; the stock's views read it by this name. */
export const CATALOG_SCHEMA = 'catalog';
/** The app's own PostgreSQL schema. */
export const SCHEMA = 'availability';
/** Outbox partitions; changing it needs a drained outbox. */
export const PARTITION_COUNT = 8;
/** Of the catalogue's outbox, likewise. */
export const CATALOG_PARTITION_COUNT = 2;
