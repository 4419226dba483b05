/** The app's schemas: how they come to be, what the app may do in them, and where their facts go. */
import { catalogTables } from '@onepool/catalog-data-access';
import { IDENTITY_OUTBOX_PARTITIONS, identityTables } from '@onepool/identity-data-access';
import { CATALOG_SCOPE, IDENTITY_SCOPE, STOCK_SCOPE } from '@onepool/contracts';
import { type AppSchema, MODULE_TABLES } from '@onepool/platform-app';
import { messagingTables } from '@onepool/platform-messaging';
import { partitionTables } from '@onepool/platform-postgres';
import { unitOfWorkTables } from '@onepool/platform-unit-of-work';
import { stockTables } from '@onepool/stock-data-access';
import { CATALOG_PARTITION_COUNT, CATALOG_SCHEMA, IDENTITY_SCHEMA, PARTITION_COUNT, SCHEMA } from './config.ts';

export const CATALOG: AppSchema = {
  schema: CATALOG_SCHEMA,
  parts: [...MODULE_TABLES, catalogTables],
  outbox: { scope: CATALOG_SCOPE, partitionCount: CATALOG_PARTITION_COUNT },
};

/** In the order in which they are made: the stock has views of the catalogue. */
export const schemas: readonly AppSchema[] = [
  {
    schema: IDENTITY_SCHEMA,
    parts: [partitionTables, messagingTables, unitOfWorkTables, identityTables],
    outbox: { scope: IDENTITY_SCOPE, partitionCount: IDENTITY_OUTBOX_PARTITIONS },
  },
  CATALOG,
  {
    schema: SCHEMA,
    parts: [partitionTables, messagingTables, stockTables],
    outbox: { scope: STOCK_SCOPE, partitionCount: PARTITION_COUNT },
  },
];
