/**
 * `feed.*`: feeds through the app, as the benchmark of feeds has them; an operation is a row that was sent. A reset counts a
 * million rows, of which one in twenty has changed; a delta tells these changes alone.
 */
import { FactsStream } from '../../events/facts-stream.ts';
import { relayed, verifyFeeds } from '../../feeds/feed-book.ts';
import { applyFeed } from '../../feeds/feed-client.ts';
import { Counts } from '../../feeds/feed-files.ts';
import { startApp } from '../../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase } from '../../setting/database.ts';
import type { Servers } from '../../setting/servers.ts';
import { WrongResultsError } from '../../setting/verify.ts';
import type { FeedLoad } from '../protocol.ts';
import type { Ground } from './ground.ts';

const SHAPE = { skus: 100_000, nodes: 10 };
const UNITS_PER_ROW = 1_000;
const CHANGED_EACH = 20;

interface File {
  readonly mode: FeedLoad;
  readonly csv: readonly Buffer[];
  readonly rows: number;
  readonly changed: number;
}

export async function feedGround(servers: Servers): Promise<Ground> {
  const database = await createDatabase(servers.databaseUrl, 'compare_feed', servers.appUrl);
  await fillDatabase(database, { skus: SHAPE.skus, nodesPerSku: SHAPE.nodes, unitsPerRow: UNITS_PER_ROW });
  const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
  const app = await startApp(database, servers);
  const counts = new Counts(SHAPE, UNITS_PER_ROW);
  let feeds = 0;
  let next: File | undefined;

  const fileOf = (mode: FeedLoad): File => {
    const offset = feeds % CHANGED_EACH;
    const changed = counts.change(CHANGED_EACH, offset);
    return mode === 'reset'
      ? { mode, csv: counts.csv(), rows: counts.rows, changed }
      : { mode, csv: counts.changesCsv(CHANGED_EACH, offset), rows: changed, changed };
  };
  const send = async ({ mode, csv, changed }: File): Promise<number> => {
    const { seconds, applied } = await applyFeed(app, { id: `feed-${feeds++}`, mode }, csv);
    if (applied !== changed) throw new WrongResultsError(`${changed} counts had changed, a ${mode} applied ${applied}`);
    return seconds;
  };

  return {
    pid: app.pid,
    ready: async (name) => {
      next = fileOf(name as FeedLoad);
      await checkpoint(database);
    },
    run: async (name, seconds) => {
      const took: number[] = [];
      let operations = 0;
      const sum = (): number => took.reduce((total, one) => total + one, 0);
      for (let file = next; took.length === 0 || sum() < seconds; file = undefined) {
        file ??= fileOf(name as FeedLoad);
        took.push(await send(file));
        operations += file.rows;
      }
      // What a feed costs includes its facts.
      await relayed(database);
      return { operations, perSecond: operations / sum(), p99Ms: 1_000 * Math.max(...took) };
    },
    close: async () => {
      await app.stop();
      await stream.close();
    },
    verify: () =>
      verifyFeeds(database, { onHand: counts.total, reserved: 0, onHandBefore: counts.rows * UNITS_PER_ROW }),
  };
}
