/**
 * What runs on a home, as `npm start` records it in `runtime.json`: the next start reads it to end what a killed runtime
 * left, and other programs read it to find the system.
 */
import { readFileSync } from 'node:fs';
import { isAlive, startedAt } from './process-table.ts';

/** A process by number and start time, so that a number used again is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string | undefined;
}

export interface RecordedProcess extends ProcessIdentity {
  /** Servers are adopted by the next start, apps and tasks are ended by it. */
  readonly kind: 'server' | 'app' | 'task';
  readonly port?: number;
  readonly logFile?: string;
  /** How often the runtime has started it again. */
  readonly restarts?: number;
}

export interface RuntimeRecord {
  readonly runtime: ProcessIdentity;
  /** True once every app answered that it is ready and the demo network is there. */
  readonly ready: boolean;
  readonly portBase: number;
  /** Addresses of each app's processes: `{ availability: ['http://127.0.0.1:3001'] }`. */
  readonly urls: Readonly<Record<string, readonly string[]>>;
  /** Of the role that apps work as, and of the one that owns the schemas. */
  readonly databaseUrl: string | undefined;
  readonly databaseOwnerUrl: string | undefined;
  readonly natsUrl: string | undefined;
  readonly apiKeyFile: string;
  readonly processes: Readonly<Record<string, RecordedProcess>>;
}

/** There is no such system, or no such part of it; the message is one sentence that says what to do. */
export class SystemNotFound extends Error {
  override readonly name = 'SystemNotFound';
}

/** The record of the last start, or undefined when there is none that can be read. */
export function readRecord(file: string): RuntimeRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RuntimeRecord;
  } catch {
    return undefined;
  }
}

/** True when exactly this process still runs. */
export function isRunning({ pid, startedAt: since }: ProcessIdentity): boolean {
  return isAlive(pid) && startedAt(pid) === since;
}

/** The identity of a process that runs now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startedAt: startedAt(pid) };
}

/**
 * The number of a recorded process, such as `postgres` or `availability-1`.
 *
 * @throws SystemNotFound with the names of those that run.
 */
export function pidOf(record: RuntimeRecord | undefined, name: string): number {
  const running = Object.entries(record?.processes ?? {}).filter(([, one]) => isRunning(one));
  const found = running.find(([known]) => known === name);
  if (found !== undefined) return found[1].pid;
  const names = running.map(([known]) => known).join(', ');
  throw new SystemNotFound(`No process ${name} was started here by \`npm start\`; running: ${names || 'none'}.`);
}

/** Ends a recorded process as a crash does, and answers its number. @throws SystemNotFound */
export function crash(record: RuntimeRecord | undefined, name: string): number {
  const pid = pidOf(record, name);
  process.kill(pid, 'SIGKILL');
  return pid;
}
