import type { SchemaPart } from '@onepool/platform-postgres';

/** An app finds keys; making and revoking them is the schema's owner's. */
export const apiKeyTables: SchemaPart = {
  name: 'auth',
  sql: new URL('./sql/', import.meta.url),
  rights: { tables: { api_client: ['SELECT'], api_key: ['SELECT'] } },
};
