import type { SchemaPart } from '@onepool/platform-postgres';

export const taskTables: SchemaPart = {
  name: 'tasks',
  sql: new URL('./sql/', import.meta.url),
  rights: { tables: { task: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] } },
};
