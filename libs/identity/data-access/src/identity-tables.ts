import type { SchemaPart } from '@onepool/platform-postgres';

/** An app that is made to run SQL of somebody else's can neither make a key nor give one a scope. */
export const identityTables: SchemaPart = {
  name: 'identity',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: {
      identity_version: ['SELECT'],
      identity_step: ['SELECT'],
      role: ['SELECT'],
      principal: ['SELECT'],
      principal_role: ['SELECT'],
      api_key: ['SELECT'],
      api_key_use: ['SELECT', 'INSERT', 'UPDATE'],
    },
  },
};
