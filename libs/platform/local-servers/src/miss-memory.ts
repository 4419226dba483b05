/**
 * What a search tried in vain and need not try again soon: a build or a download that fails costs the more the longer it
 * takes to fail. One small file a program in the cache; who removes it has everything tried again.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cacheDirectory } from './search-environment.ts';
import type { SearchEnvironment } from './search-environment.ts';

interface RememberedMiss {
  /** ISO time, for people. */
  readonly at: string;
  readonly atMs: number;
  readonly reason: string;
  /** Of the variables that decide what can be found; another value means another machine or network. */
  readonly setting: string;
}

const REMEMBERED_MS = 24 * 3_600_000;

/** What may make a difference to a download or a build. */
const DECISIVE = ['PATH', 'GOPROXY', 'GOFLAGS', 'HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY'];

export class MissMemory {
  readonly file: string;
  readonly #environment: SearchEnvironment;
  readonly #setting: string;
  #misses: Readonly<Record<string, RememberedMiss>>;

  private constructor(environment: SearchEnvironment, file: string, misses: Readonly<Record<string, RememberedMiss>>) {
    this.file = file;
    this.#environment = environment;
    this.#misses = misses;
    const values = DECISIVE.map((name) => environment.variables[name] ?? '');
    this.#setting = createHash('sha256').update(values.join('\0')).digest('hex').slice(0, 16);
  }

  static async read(environment: SearchEnvironment, program: string): Promise<MissMemory> {
    const file = join(cacheDirectory(environment), `${program}-misses.json`);
    return new MissMemory(environment, file, parse(await environment.read(file)));
  }

  /** True when this source was tried in vain here within the last day. */
  knows(source: string): boolean {
    const miss = this.#misses[source];
    if (miss === undefined || miss.setting !== this.#setting) return false;
    const ageMs = this.#environment.now() - miss.atMs;
    return ageMs >= 0 && ageMs < REMEMBERED_MS;
  }

  /** Where it cannot be kept, it is tried again next time. */
  async remember(source: string, reason: string): Promise<void> {
    const atMs = this.#environment.now();
    const at = new Date(atMs).toISOString();
    this.#misses = { ...this.#misses, [source]: { at, atMs, reason, setting: this.#setting } };
    await this.#environment.write(this.file, `${JSON.stringify(this.#misses, undefined, 2)}\n`).catch(() => undefined);
  }
}

function parse(text: string): Readonly<Record<string, RememberedMiss>> {
  try {
    return JSON.parse(text) as Record<string, RememberedMiss>;
  } catch {
    return {};
  }
}
