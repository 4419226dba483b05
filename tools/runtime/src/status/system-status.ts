/** What `npm run status` tells, gathered from the runtime's record and from the processes themselves. */
import type { ProcessUsage } from './process-usage.ts';

/** What an app, PostgreSQL or nats-server says of itself. */
export interface Health {
  readonly isHealthy: boolean;
  /** `ready`, or why not. */
  readonly text: string;
  readonly version?: string;
}

export interface ProcessStatus extends Health {
  readonly name: string;
  /** Undefined for a server of somebody else. */
  readonly pid?: number;
  readonly port?: number;
  readonly upSeconds?: number;
  /** How often the runtime has started it again. */
  readonly restarts: number;
  /** Its share of the memory, with that of its children. */
  readonly memoryMb?: number;
}

/** The way of facts from the outbox to JetStream. */
export interface RelayStatus {
  readonly backlogFacts: number;
  readonly lagSeconds: number;
}

export interface SystemStatus {
  readonly isRunning: boolean;
  /** True when everything is up and says that it is ready. */
  readonly isHealthy: boolean;
  readonly onepool: string;
  readonly node: string;
  readonly home: string;
  readonly apiKeyFile: string;
  readonly logs: string;
  readonly urls: Readonly<Record<string, readonly string[]>>;
  readonly processes: readonly ProcessStatus[];
  readonly relay?: RelayStatus;
}

export const EXIT_HEALTHY = 0;
export const EXIT_UNHEALTHY = 1;
export const EXIT_NOT_RUNNING = 3;

/** 0 when all is healthy, 1 when something is not, 3 when nothing runs. */
export function exitCodeOf({ isRunning, isHealthy }: SystemStatus): number {
  if (!isRunning) return EXIT_NOT_RUNNING;
  return isHealthy ? EXIT_HEALTHY : EXIT_UNHEALTHY;
}

/** One row of the table out of what is known of a process from outside and what it says itself. */
export function processStatus(
  name: string,
  facts: { readonly pid?: number; readonly port?: number; readonly restarts?: number },
  usage: ProcessUsage | undefined,
  health: Health,
): ProcessStatus {
  const isGone = facts.pid !== undefined && usage === undefined;
  const seen = isGone ? { isHealthy: false, text: 'not running' } : health;
  return Object.freeze({ name, ...facts, restarts: facts.restarts ?? 0, ...usage, ...seen });
}
