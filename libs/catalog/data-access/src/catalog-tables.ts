import type { SchemaPart } from '@onepool/platform-postgres';

export const catalogTables: SchemaPart = {
  name: 'catalog',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: {
      sku: ['SELECT', 'INSERT', 'UPDATE'],
      node: ['SELECT', 'INSERT', 'UPDATE'],
      channel: ['SELECT', 'INSERT', 'UPDATE'],
      threshold: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      catalog_epoch: ['SELECT', 'UPDATE'],
    },
  },
};
