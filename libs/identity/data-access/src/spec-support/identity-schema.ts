import { messagingTables } from '@onepool/platform-messaging';
import { type SchemaDeclaration, partitionTables } from '@onepool/platform-postgres';
import { unitOfWorkTables } from '@onepool/platform-unit-of-work';
import { identityTables } from '../identity-tables.ts';

/** As an app that has the identity declares it. */
export const identitySchema: SchemaDeclaration = {
  schema: 'identity',
  parts: [partitionTables, messagingTables, unitOfWorkTables, identityTables],
};
