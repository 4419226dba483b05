/**
 * `runtime.json`: what runs now. The next start reads it to end what a killed runtime left, and other tools read it to
 * find the system. It holds a password, so only its owner may read it.
 */
import {
  type ProcessIdentity,
  type RecordedProcess,
  type RuntimeRecord,
  identify,
} from '@onepool/platform-local-servers';
import { KeptFile } from './kept-file.ts';
import type { KeptFileOptions } from './kept-file.ts';

export { identify, isRunning, readRecord } from '@onepool/platform-local-servers';
export type { ProcessIdentity, RecordedProcess, RuntimeRecord } from '@onepool/platform-local-servers';

/** Keeps the file equal to what runs. Writes are synchronous and whole: a kill finds the old file or the new one. */
export class RuntimeRecorder {
  readonly #file: KeptFile;
  readonly #starts = new Map<string, number>();
  #record: RuntimeRecord;

  /** @throws when the file cannot be written; later failures are reported and end nothing. */
  constructor(
    file: string,
    initial: Pick<RuntimeRecord, 'portBase' | 'apiKeyFile' | 'urls'>,
    options: KeptFileOptions,
  ) {
    this.#file = new KeptFile(file, options);
    this.#record = {
      runtime: identify(process.pid),
      ready: false,
      ...initial,
      databaseUrl: undefined,
      databaseOwnerUrl: undefined,
      natsUrl: undefined,
      processes: {},
    };
    this.#file.create(this.#text());
  }

  update(change: Partial<Pick<RuntimeRecord, 'ready' | 'databaseUrl' | 'databaseOwnerUrl' | 'natsUrl'>>): void {
    this.#record = { ...this.#record, ...change };
    this.#file.put(this.#text());
  }

  /** Records a process that has just been started, under a name of its own. */
  add(name: string, pid: number, facts: Omit<RecordedProcess, keyof ProcessIdentity>): void {
    const restarts = this.#starts.get(name) ?? 0;
    this.#starts.set(name, restarts + 1);
    const processes = { ...this.#record.processes, [name]: { ...identify(pid), ...facts, restarts } };
    this.#record = { ...this.#record, processes };
    this.#file.put(this.#text());
  }

  /** Forgets a process that has ended, unless another has taken its name since. */
  remove(name: string, pid: number): void {
    if (this.#record.processes[name]?.pid !== pid) return;
    const { [name]: _ended, ...processes } = this.#record.processes;
    this.#record = { ...this.#record, processes };
    this.#file.put(this.#text());
  }

  #text(): string {
    return `${JSON.stringify(this.#record, undefined, 2)}
`;
  }
}
