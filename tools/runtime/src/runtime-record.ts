/**
 * `runtime.json`: what runs now. The next start reads it to end what a killed runtime left, and other tools read it to
 * find the system. It holds a password, so only its owner may read it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive, startedAt } from '@onepool/platform-local-servers';

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
}

export interface RuntimeRecord {
  readonly runtime: ProcessIdentity;
  /** True once every app answered that it is ready and the demo network is there. */
  readonly ready: boolean;
  readonly portBase: number;
  /** Addresses of each app's processes: `{ availability: ['http://127.0.0.1:3001'] }`. */
  readonly urls: Readonly<Record<string, readonly string[]>>;
  readonly databaseUrl: string | undefined;
  readonly natsUrl: string | undefined;
  readonly apiKeyFile: string;
  readonly processes: Readonly<Record<string, RecordedProcess>>;
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

/** Keeps the file equal to what runs. Writes are synchronous and whole: a kill finds the old file or the new one. */
export class RuntimeRecorder {
  readonly #file: string;
  #record: RuntimeRecord;

  constructor(file: string, initial: Pick<RuntimeRecord, 'portBase' | 'apiKeyFile' | 'urls'>) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    this.#record = {
      runtime: identify(process.pid),
      ready: false,
      ...initial,
      databaseUrl: undefined,
      natsUrl: undefined,
      processes: {},
    };
    this.#write();
  }

  update(change: Partial<Pick<RuntimeRecord, 'ready' | 'databaseUrl' | 'natsUrl'>>): void {
    this.#record = { ...this.#record, ...change };
    this.#write();
  }

  /** Records a process that has just been started, under a name of its own. */
  add(name: string, pid: number, facts: Omit<RecordedProcess, keyof ProcessIdentity>): void {
    const processes = { ...this.#record.processes, [name]: { ...identify(pid), ...facts } };
    this.#record = { ...this.#record, processes };
    this.#write();
  }

  /** Forgets a process that has ended, unless another has taken its name since. */
  remove(name: string, pid: number): void {
    if (this.#record.processes[name]?.pid !== pid) return;
    const { [name]: _ended, ...processes } = this.#record.processes;
    this.#record = { ...this.#record, processes };
    this.#write();
  }

  #write(): void {
    const draft = `${this.#file}.draft`;
    writeFileSync(draft, `${JSON.stringify(this.#record, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.#file);
  }
}
