/** A whole Onepool of the drill's own, under the supervision that `npm start` gives: its own home, its own ports. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePortBase,
  isAlive,
  readRecord,
  removePrivateDirectory,
  type RuntimeRecord,
} from '@onepool/platform-local-servers';
import { startProgram } from './child.ts';
import type { Child } from './child.ts';
import { until } from './until.ts';

export const REPLICAS = ['availability-1', 'availability-2'] as const;
const START_PATIENCE_MS = 300_000;

export interface OwnSystemOptions {
  readonly onLine: (line: string) => void;
  /** Leaves its home on the disk afterwards. */
  readonly keep: boolean;
  /** Of availability; two unless told. */
  readonly replicas?: number;
  /** How its apps are broken; see testing-failpoints. */
  readonly failpoints?: string;
}

export class OwnSystem {
  readonly home: string;
  readonly #runtime: Child;
  readonly #keep: boolean;
  readonly #seen = new Set<number>();

  private constructor(home: string, runtime: Child, keep: boolean) {
    this.home = home;
    this.#runtime = runtime;
    this.#keep = keep;
  }

  /** Starts it without the demo network; resolves when it is ready. */
  static async start({ onLine, keep, replicas = REPLICAS.length, failpoints }: OwnSystemOptions): Promise<OwnSystem> {
    const home = mkdtempSync(join(tmpdir(), 'onepool-faults-'));
    // PostgreSQL may have to run as another user, who must get through to its data.
    chmodSync(home, 0o711);
    mkdirSync(join(home, 'failpoints'), { mode: 0o700 });
    const portBase = await freePortBase();
    const runtime = startProgram({
      entry: 'tools/runtime/src/main.ts',
      args: [
        '--replicas',
        `availability=${replicas}`,
        '--no-seed',
        ...(failpoints ? ['--failpoints', failpoints] : []),
      ],
      variables: { ONEPOOL_HOME: home, ONEPOOL_PORT_BASE: String(portBase) },
      onLine,
    });
    const system = new OwnSystem(home, runtime, keep);
    try {
      await until(
        'the system to be ready',
        () => {
          if (!runtime.isRunning()) return false;
          return system.#record.ready || undefined;
        },
        START_PATIENCE_MS,
      );
      if (!runtime.isRunning()) throw new Error('The runtime ended before the system was ready.');
      system.pids();
      return system;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  get urls(): readonly string[] {
    return this.#record.urls['availability'] ?? [];
  }

  /** As the replicas reach it. */
  get databaseUrl(): string {
    return this.#record.databaseUrl ?? '';
  }

  /** As the owner of the schemas. */
  get databaseOwnerUrl(): string {
    return this.#record.databaseOwnerUrl ?? '';
  }

  get natsUrl(): string {
    return this.#record.natsUrl ?? '';
  }

  get apiKeyFile(): string {
    return this.#record.apiKeyFile;
  }

  get apiKey(): string {
    return readFileSync(this.apiKeyFile, 'utf8').trim();
  }

  get logs(): string {
    return join(this.home, 'logs');
  }

  /** The processes that run now, by name. */
  pids(): ReadonlyMap<string, number> {
    const pids = new Map(Object.entries(this.#record.processes).map(([name, { pid }]) => [name, pid]));
    for (const pid of pids.values()) this.#seen.add(pid);
    return pids;
  }

  pidOf(name: string): number {
    const pid = this.pids().get(name);
    if (pid === undefined) throw new Error(`${name} does not run.`);
    return pid;
  }

  /** Ends a process of the system as a crash does, and resolves with its number. */
  killNow(name: string): number {
    const pid = this.pidOf(name);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  /** Where failpoints that have killed a process leave a file. */
  get killedFolder(): string {
    return join(this.home, 'failpoints');
  }

  /** Whether the failpoint has killed a process. */
  wasKilledAt(failpoint: string): boolean {
    return existsSync(join(this.killedFolder, failpoint));
  }

  /** Stops everything and removes the home. @throws when a process of the system outlived the runtime. */
  async stop(): Promise<void> {
    if (this.#runtime.isRunning()) this.pids();
    await this.#runtime.stop();
    const left = [...this.#seen].filter(isAlive);
    if (!this.#keep) {
      await removePrivateDirectory(join(this.home, 'postgres'));
      await rm(this.home, { recursive: true, force: true });
    }
    if (left.length > 0) throw new Error(`Processes of the system were left behind: ${left.join(', ')}`);
  }

  get #record(): RuntimeRecord {
    const record = readRecord(join(this.home, 'runtime.json'));
    if (record === undefined) throw new Error(`Nothing is recorded in ${this.home} yet.`);
    return record;
  }
}
