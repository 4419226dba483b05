import { messagingTables } from '@onepool/platform-messaging';
import { partitionTables } from '@onepool/platform-postgres';
import { taskTables } from '@onepool/platform-tasks';
import { unitOfWorkTables } from '@onepool/platform-unit-of-work';

/** What a schema needs that has units of work, facts, consumers and tasks; its own tables come after. */
export const MODULE_TABLES = [partitionTables, messagingTables, taskTables, unitOfWorkTables] as const;
