/**
 * Whatever happens, a mirror ends equal to its source. A run is a list of events, made by fast-check: writers change and remove,
 * deletions are forgotten, mirrors start late, are killed between any two commits, the stream is deleted or its tail lost while a
 * relay refills it. `MIRROR_RUNS` and `MIRROR_SEED` choose others, as `npm run verify` does at each turn; a failure prints both and the list.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type FailpointHandlers, installFailpoints } from '@onepool/platform-failpoints';
import { createTestDatabase, startTestNats, type TestNats } from '@onepool/testing-servers';
import fc from 'fast-check';
import { MirrorBench, type RunningMirror, type StoreName } from '../spec-support/mirror-bench.ts';
import { SHELF_STREAM, type ShelfChange } from '../spec-support/shelf-source.ts';

const RUNS = Number(process.env['MIRROR_RUNS'] ?? 2);
const SEED = Number(process.env['MIRROR_SEED'] ?? 20_260_301);
const PATIENCE_MS = 60_000;
const WRITE = 'client.mirror_write';
/** Writes are most of what there is. */
const COMMITS = [WRITE, WRITE, WRITE, 'client.mirror_begin', 'client.mirror_complete', 'client.mirror_sweep'];

type Event =
  | { readonly is: 'change' | 'change while a page is read'; readonly changes: readonly ShelfChange[] }
  | { readonly is: 'tail lost'; readonly changes: readonly ShelfChange[] }
  | {
      readonly is:
        'forget removed' | 'start' | 'kill' | 'stream deleted' | 'durable deleted' | 'be equal' | 'be killed';
    }
  | { readonly is: 'killed at'; readonly failpoint: string; readonly passing: number };

const changes = fc.array(
  fc.record({
    kind: fc.constantFrom('shelves' as const, 'aisles' as const),
    code: fc.integer({ min: 10, max: 15 }).map((code) => `c${code}`),
    units: fc.option(fc.integer({ min: 0, max: 99 }), { freq: 3 }),
  }),
  { minLength: 2, maxLength: 8 },
);
const just = <const I extends string>(is: I) => fc.constant({ is });
const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: changes.map((told) => ({ is: 'change' as const, changes: told })) },
    { weight: 4, arbitrary: changes.map((told) => ({ is: 'change while a page is read' as const, changes: told })) },
    { weight: 1, arbitrary: changes.map((told) => ({ is: 'tail lost' as const, changes: told })) },
    { weight: 5, arbitrary: just('start') },
    { weight: 4, arbitrary: just('kill') },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom(...COMMITS), fc.constantFrom('before', 'after'), fc.integer({ min: 1, max: 5 }))
        .map(([commit, moment, passing]) => ({
          is: 'killed at' as const,
          failpoint: `${commit}.${moment}_commit`,
          passing: commit === WRITE ? passing : 1,
        })),
    },
    { weight: 2, arbitrary: just('stream deleted') },
    { weight: 2, arbitrary: just('durable deleted') },
    { weight: 2, arbitrary: just('forget removed') },
    { weight: 2, arbitrary: just('be equal') },
  ),
  { minLength: 20, maxLength: 30, size: 'max' },
);

/** Bugs that were planted for the run stay planted. */
class Killer implements FailpointHandlers {
  readonly #isPlanted: (name: string) => boolean;
  #at: string | undefined;
  #passingsLeft = 0;
  #kill: () => void = () => undefined;
  readonly #held: (() => void)[] = [];

  constructor(isPlanted: (name: string) => boolean) {
    this.#isPlanted = isPlanted;
  }

  isPlanted(name: string): boolean {
    return this.#isPlanted(name);
  }

  /** Who is there at that passing from now does not go on, and everybody is killed. */
  at(failpoint: string, passing: number, kill: () => void): void {
    this.#at = failpoint;
    this.#passingsLeft = passing;
    this.#kill = kill;
  }

  pass(name: string): Promise<void> | undefined {
    if (name !== this.#at || (this.#passingsLeft -= 1) > 0) return undefined;
    this.#at = undefined;
    this.#kill();
    return new Promise((_, reject) => this.#held.push(() => reject(new Error('It was killed here.'))));
  }

  /** Lets what is left of them end. */
  release(): void {
    for (const letGo of this.#held.splice(0)) letGo();
  }
}

class World {
  readonly #bench: MirrorBench;
  readonly #nats: TestNats;
  readonly #kind: StoreName;
  readonly #killer: Killer;
  readonly #mirrors: RunningMirror[] = [];
  #dying: Promise<unknown> = Promise.resolve();

  constructor(bench: MirrorBench, nats: TestNats, kind: StoreName, killer: Killer) {
    this.#bench = bench;
    this.#nats = nats;
    this.#kind = kind;
    this.#killer = killer;
  }

  async happen(event: Event): Promise<void> {
    const { source } = this.#bench;
    switch (event.is) {
      case 'change':
        return source.change(...event.changes);
      case 'change while a page is read':
        source.beforeAnswer = async () => {
          await source.change(...event.changes);
          // Told before anything else happens, if it can be.
          for (let look = 0; look < 40 && !(await source.isTold()); look += 1) await delay(5);
        };
        return;
      case 'forget removed':
        return source.forgetRemoved();
      case 'start':
        return this.#start();
      case 'kill':
        return this.#mirrors.shift()?.kill();
      case 'killed at':
        return this.#killer.at(event.failpoint, event.passing, () => {
          this.#dying = Promise.all(this.#mirrors.splice(0).map((mirror) => mirror.kill()));
        });
      case 'durable deleted':
        await (await source.manager()).consumers.delete(SHELF_STREAM.name, 'shelves').catch(() => undefined);
        return;
      case 'stream deleted':
        await (await source.manager()).streams.delete(SHELF_STREAM.name).catch(() => undefined);
        return;
      case 'tail lost':
        return this.#loseTail(event.changes);
      case 'be equal':
        return this.beEqual();
      case 'be killed':
        await this.#until('the mirror to be killed', async () => this.#mirrors.length === 0);
        return;
    }
  }

  /** Facts that were in the stream, and perhaps in a mirror, are not in it any more. */
  async #loseTail(told: readonly ShelfChange[]): Promise<void> {
    const { source } = this.#bench;
    await this.#until('the source to have told all', () => source.isTold());
    const lose = await this.#nats.checkpoint();
    await source.change(...told);
    await this.#until('the source to have told all', () => source.isTold());
    await lose();
  }

  /** Two in PostgreSQL at most, which are replicas; one in memory. */
  async #start(): Promise<void> {
    if (this.#mirrors.length >= (this.#kind === 'memory' ? 1 : 2)) return;
    this.#mirrors.push(await this.#bench.start(this.#kind));
  }

  async beEqual(): Promise<void> {
    let last: unknown;
    const isEqual = async (): Promise<boolean> => {
      await this.#dying;
      // Whoever was killed is started again, as whatever runs it would do.
      if (this.#mirrors.length === 0) await this.#start();
      const [mirror] = this.#mirrors;
      if (!(await this.#bench.source.isTold()) || mirror?.mirror.stage() !== 'following') return false;
      const [read, truth] = [await mirror.read(), await this.#bench.source.truth()];
      last = { read, truth, anew: mirror.anew, errors: mirror.errors.slice(-3).map(String) };
      return JSON.stringify(read) === JSON.stringify(truth);
    };
    await this.#until('the mirror to be equal', isEqual, () => last);
  }

  async #until(what: string, holds: () => Promise<boolean>, tell?: () => unknown): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await holds().catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`${what}: never; ${JSON.stringify(tell?.())}`);
      await delay(25);
    }
  }
}

let end: () => Promise<void> = () => Promise.resolve();
afterEach(() => end());

async function play(kind: StoreName, list: readonly Event[], isPlanted: (name: string) => boolean): Promise<void> {
  const [database, nats] = await Promise.all([createTestDatabase(), startTestNats()]);
  const bench = await MirrorBench.open({ database, nats });
  const killer = new Killer(isPlanted);
  installFailpoints(killer);
  end = async () => {
    end = () => Promise.resolve();
    installFailpoints(null);
    killer.release();
    await bench.close();
    await nats.stop();
    await database.drop();
  };
  const world = new World(bench, nats, kind, killer);
  for (const event of list) await world.happen(event);
  await world.beEqual();
  await end();
}

const codes = Array.from({ length: 6 }, (_, at) => `c1${at}`);
const everything = (units: number): Event => ({
  is: 'change',
  changes: (['aisles', 'shelves'] as const).flatMap((kind) => codes.map((code) => ({ kind, code, units }))),
});

const PLANTED = process.env['ONEPOOL_FAILPOINTS'] ?? '';

const isPlanted = (name: string): boolean => PLANTED.split(' ').includes(`${name}=planted`);

describe.each<[StoreName]>([['memory'], ['postgres']])('a mirror in %s', (kind) => {
  it(
    'ends equal to its source, whatever happened',
    async () => {
      const run = fc.asyncProperty(events, (list) => play(kind, list, isPlanted));
      const told = await fc.check(run, { numRuns: RUNS, seed: SEED, endOnFailure: true });
      expect(told.failed ? fc.defaultReportMessage(told) : '').toBe('');
    },
    RUNS * 180_000,
  );

  it('has in what is told between the reading of its first page and the answer', async () => {
    const meanwhile: readonly ShelfChange[] = codes.map((code) => ({ kind: 'aisles', code, units: 2 }));
    const list: readonly Event[] = [
      everything(1),
      { is: 'change while a page is read', changes: meanwhile },
      { is: 'start' },
      { is: 'be equal' },
    ];
    await play(kind, list, isPlanted);
  });
});

it('a mirror in PostgreSQL that is killed at any of the writes of its building is as good as one that is not', async () => {
  const list = [1, 2, 3, 4].flatMap((passing) =>
    ['before', 'after'].flatMap((moment): Event[] => [
      everything(passing),
      { is: 'be equal' },
      { is: 'killed at', failpoint: `${WRITE}.${moment}_commit`, passing },
      { is: 'durable deleted' },
      { is: 'be killed' },
      { is: 'be equal' },
    ]),
  );
  await play('postgres', list, isPlanted);
});
