import type { SchemaPart } from '@onepool/platform-postgres';

/** Of a {@link PostgresMirror}. `SELECT key, version, value FROM mirrored('catalogue', 'skus')` reads what it holds. */
export const mirrorTables: SchemaPart = {
  name: 'mirror',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: {
      mirror: ['SELECT', 'INSERT', 'UPDATE'],
      mirror_row: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    },
    functions: ['mirrored'],
  },
};
