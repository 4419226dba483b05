import type { SchemaPart } from '@onepool/platform-postgres';

/** The tables of units of work come before. Nothing is deleted. */
export const catalogTables: SchemaPart = {
  name: 'catalog',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: {
      sku: ['SELECT', 'INSERT', 'UPDATE'],
      node: ['SELECT', 'INSERT', 'UPDATE'],
      channel: ['SELECT', 'INSERT', 'UPDATE'],
      price: ['SELECT', 'INSERT', 'UPDATE'],
      eligibility_rule: ['SELECT', 'INSERT', 'UPDATE'],
      fence: ['SELECT', 'INSERT', 'UPDATE'],
      allowance: ['SELECT', 'INSERT', 'UPDATE'],
      receipt_policy: ['SELECT', 'INSERT', 'UPDATE'],
      stop_rule: ['SELECT', 'INSERT', 'UPDATE'],
      threshold: ['SELECT', 'INSERT', 'UPDATE'],
      catalog_epoch: ['SELECT', 'UPDATE'],
    },
    sequences: { fence_key: ['USAGE'] },
  },
};
