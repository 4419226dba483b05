export type { NewTask, Task, TaskEnding, TaskKind, TaskOutcome } from './task.ts';
export { taskTables } from './task-tables.ts';
export { TaskRunner, type TaskRunnerOptions } from './task-runner.ts';
export { newTaskId, writeTasks } from './write-tasks.ts';
