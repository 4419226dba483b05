/** What has to happen for a commit that an ordinary day does not see. */
import { queryOnce } from '@onepool/testing-servers';
import type { CommitName } from '@onepool/testing-failpoints';
import pg from 'pg';
import { until } from '../../until.ts';
import type { Stage } from '../stage.ts';

type Provocation = (stage: Stage, round: number) => Promise<void>;

const APP = 'availability-1';

/** Commits that no round passes by itself. */
export const PROVOKED: Partial<Record<CommitName, Provocation>> = {
  'messaging.relay_release': restart,
  'stock.feed_let_go': cutFeed,
  'stock.put_off_rebacks': breakPromise,
};

/** An ordinary stop gives up what the relay owns; the runtime starts the app again. */
async function restart({ system }: Stage): Promise<void> {
  const pid = system.pidOf(APP);
  process.kill(pid, 'SIGTERM');
  await until(`${APP} to be started again`, () => (system.pids().get(APP) ?? pid) !== pid || undefined);
}

/** The connection breaks on which a feed is applied. */
async function cutFeed({ system, shop }: Stage): Promise<void> {
  const [node] = shop.nodes;
  const sku = shop.id('cut');
  await shop.putSkus(sku);
  await shop.receive(sku, 1);
  const owner = new pg.Client({ connectionString: system.databaseOwnerUrl });
  await owner.connect();
  try {
    await owner.query('BEGIN');
    const lock =
      'SELECT FROM availability.sku_gate NATURAL JOIN availability.sku WHERE code = $1 FOR UPDATE OF sku_gate';
    await owner.query(lock, [sku]);
    const feed = { mode: 'delta', capturedAt: new Date().toISOString(), rows: [`${sku},${node},1`] } as const;
    await shop.sendFeed({ id: shop.id('feed'), ...feed });
    const waiting = `FROM pg_stat_activity WHERE application_name LIKE '%-feed-apply' AND wait_event_type = 'Lock'`;
    await until('the feed to wait for the gate', async () => {
      const cut = await queryOnce(system.databaseOwnerUrl, `SELECT pg_terminate_backend(pid) ${waiting}`);
      return cut.length > 0 || undefined;
    });
  } finally {
    await owner.end();
  }
}

/** Units turn up where the channel does not sell, again and again, and a broken promise cannot be moved there. */
async function breakPromise({ shop }: Stage, round: number): Promise<void> {
  const [first, , third] = shop.nodes;
  const sku = `${shop.prefix}broken`;
  if (round === 0) {
    await shop.putSkus(sku);
    await shop.receive(sku, 1, first);
    await shop.demandHold(sku, 1);
    await shop.move([{ type: 'sale', sku, node: first, quantity: 1 }]);
  }
  await shop.receive(sku, 1, third);
}
