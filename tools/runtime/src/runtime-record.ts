/**
 * `runtime.json`: what runs now. The next start reads it to end what a killed runtime left, and other tools read it to
 * find the system. It holds a password, so only its owner may read it.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type ProcessIdentity,
  type RecordedProcess,
  type RuntimeRecord,
  identify,
} from '@onepool/platform-local-servers';

export { identify, isRunning, readRecord } from '@onepool/platform-local-servers';
export type { ProcessIdentity, RecordedProcess, RuntimeRecord } from '@onepool/platform-local-servers';

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
      databaseOwnerUrl: undefined,
      natsUrl: undefined,
      processes: {},
    };
    this.#write();
  }

  update(change: Partial<Pick<RuntimeRecord, 'ready' | 'databaseUrl' | 'databaseOwnerUrl' | 'natsUrl'>>): void {
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
