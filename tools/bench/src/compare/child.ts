/**
 * One side of a comparison: servers, migrations, engine and app of the tree that this file was built in. Each side has a
 * PostgreSQL of its own, so that what vacuum and checkpoints of one side use is not counted as the other's.
 *
 * A revision whose child does not know a group is lent the first one that did; see `trees.ts`.
 */
import { join } from 'node:path';
import { cpuOf, cpuOfFamily } from '../measuring/cpu.ts';
import { startServers } from '../setting/servers.ts';
import type { Servers } from '../setting/servers.ts';
import { feedGround } from './grounds/feed.ts';
import type { Ground, Grounds } from './grounds/ground.ts';
import { httpGround } from './grounds/http.ts';
import { reserveGround } from './grounds/reserve.ts';
import { scaleGround } from './grounds/scale.ts';
import type { CompareGroup, Reply, Request, TurnFigures, Workload } from './protocol.ts';

const GROUNDS: Grounds = { reserve: reserveGround, http: httpGround, feed: feedGround, scale: scaleGround };

class Side {
  readonly #servers: Servers;
  readonly #grounds = new Map<string, Ground>();

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  async answer(request: Request): Promise<TurnFigures | undefined> {
    switch (request.ask) {
      case 'prepare':
        for (const group of request.groups) await this.#prepare(group);
        return undefined;
      case 'turn':
        return this.#turn(request.workload, request.seconds, request.seed);
      case 'finish':
        return this.#finish();
    }
  }

  async #prepare(group: CompareGroup): Promise<void> {
    this.#grounds.set(group, await GROUNDS[group](this.#servers));
  }

  async #turn(workload: Workload, seconds: number, seed: number): Promise<TurnFigures> {
    const [group = '', name = ''] = workload.split('.');
    const ground = this.#grounds.get(group);
    if (ground === undefined) throw new Error(`${group} has not been prepared`);
    await ground.ready(name, seconds, seed);
    const cpu = () => ({ app: cpuOf(ground.pid), postgres: cpuOfFamily(this.#servers.postmaster) });
    const before = cpu();
    const { operations, perSecond, p99Ms } = await ground.run(name, seconds, seed);
    const after = cpu();
    const used = (who: 'app' | 'postgres'): number => ((after[who] ?? NaN) - (before[who] ?? NaN)) / operations;
    return { operations, perSecond, p99Ms, appMicroseconds: used('app'), postgresMicroseconds: used('postgres') };
  }

  async #finish(): Promise<undefined> {
    for (const ground of this.#grounds.values()) {
      await ground.close();
      await ground.verify();
    }
  }
}

const [home = join(process.cwd(), '.onepool')] = process.argv.slice(2);
const servers = await startServers({ base: home, databaseUrl: undefined, natsUrl: undefined });
const side = new Side(servers);
const reply = (message: Reply): void => void process.send?.(message);
const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

process.on('message', (request: Request) => {
  side.answer(request).then(
    (figures) => reply({ ok: true, ...(figures === undefined ? {} : { figures }) }),
    (error: unknown) => reply({ ok: false, error: textOf(error) }),
  );
});
// The other end of the channel is the comparison: without it nobody asks and nobody would stop the servers.
process.once('disconnect', () => void servers.stop().finally(() => process.exit(0)));
reply({ ok: true });
