import type { SchemaPart } from '@onepool/platform-postgres';

/** Of the ledger nothing is changed or taken away. The views read `catalogTables`, which are in a schema named `catalog`, made before. */
export const stockTables: SchemaPart = {
  name: 'stock',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: {
      rules_epoch: ['SELECT'],
      sku_code: ['SELECT'],
      rules_node: ['SELECT'],
      rules_channel: ['SELECT'],
      rules_threshold: ['SELECT'],
      source: ['SELECT', 'INSERT', 'UPDATE'],
      sku_gate: ['SELECT', 'INSERT', 'UPDATE'],
      supply: ['SELECT', 'INSERT', 'UPDATE'],
      stock: ['SELECT'],
      reservation: ['SELECT', 'INSERT', 'UPDATE'],
      controller: ['SELECT', 'INSERT', 'DELETE'],
      backing: ['SELECT', 'INSERT', 'UPDATE'],
      stage_entry: ['SELECT', 'INSERT'],
      ledger: ['SELECT', 'INSERT'],
      late_note: ['SELECT', 'INSERT'],
      command: ['SELECT', 'INSERT', 'DELETE'],
      source_event: ['SELECT', 'INSERT'],
      told: ['SELECT', 'INSERT', 'UPDATE'],
      told_effect: ['SELECT', 'INSERT', 'UPDATE'],
      sku_task: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      stock_exception: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      feed: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      feed_refusal: ['SELECT', 'INSERT', 'DELETE'],
      feed_watermark: ['SELECT', 'INSERT', 'UPDATE'],
      'feed_stage*': ['SELECT', 'INSERT', 'DELETE'],
    },
    sequences: { reservation_block: ['USAGE'], supply_key: ['USAGE'] },
    functions: ['create_feed_stage', 'index_feed_stage', 'analyze_feed_stage', 'drop_feed_stage'],
  },
};
