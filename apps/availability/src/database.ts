/** The app's schema: how it comes to be, and what the app may do in it. */
import { catalogRights } from '@onepool/catalog-data-access';
import { apiKeyRights } from '@onepool/platform-auth';
import { messagingRights } from '@onepool/platform-messaging';
import { combineRights } from '@onepool/platform-postgres';
import { stockRights } from '@onepool/stock-data-access';
import { SCHEMA } from './config.ts';
import { migrations } from './migrations/index.ts';

export const database = {
  schema: SCHEMA,
  migrations,
  rights: combineRights(apiKeyRights, catalogRights, messagingRights, stockRights),
};
