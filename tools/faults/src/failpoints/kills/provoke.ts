/** What has to happen for a commit that an ordinary day does not see. */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { STOCK_STREAM } from '@onepool/contracts';
import { connectNats } from '@onepool/platform-messaging';
import { withClient } from '@onepool/platform-postgres';
import type { CommitName } from '@onepool/testing-failpoints';
import { until } from '../../until.ts';
import type { Stage } from '../stage.ts';

type Provocation = (stage: Stage, round: number) => Promise<void>;

const APP = 'availability-1';
/** So many that a look moves nothing twice, and the next comes before the SKU has rested. */
const RECEIPTS = 5;
const BETWEEN_LOOKS_MS = 300;

/** Commits that no round passes by itself. */
export const PROVOKED: Partial<Record<CommitName, Provocation>> = {
  'identity.note_use': restart,
  'messaging.relay_epoch': loseStream,
  'messaging.relay_release': restart,
  'stock.claim_drains': drainNode,
  'stock.feed_let_go': cutFeed,
  'stock.inbound': announceReceipt,
  'stock.put_off_tend_tasks': breakPromise,
  'stock.search_drains': drainNode,
  'stock.seek_drains': drainNode,
  'stock.source_settings': nameSource,
  'stock.sources': nameSource,
};

/** An ordinary stop notes which keys were used and gives up what the relay owns; the runtime starts the app again. */
async function restart({ system }: Stage): Promise<void> {
  const pid = system.pidOf(APP);
  process.kill(pid, 'SIGTERM');
  await until(`${APP} to be started again`, () => (system.pids().get(APP) ?? pid) !== pid || undefined);
}

/** The relay finds that the stream has not got what it had acknowledged. */
async function loseStream({ system }: Stage): Promise<void> {
  const connection = await connectNats({ url: system.natsUrl, name: 'failpoints-drill' });
  try {
    const { streams } = await jetstreamManager(connection, { checkAPI: false });
    const isThere = (): Promise<unknown> => streams.info(STOCK_STREAM.name).catch(() => undefined);
    // Who was to make it may just have been killed.
    await until('the stream to be there', isThere);
    await streams.delete(STOCK_STREAM.name);
    await until('the stream to be there again', isThere);
  } finally {
    await connection.close();
  }
}

/** The connection breaks on which a feed is applied. */
async function cutFeed({ system, shop }: Stage): Promise<void> {
  const [node] = shop.nodes;
  const sku = shop.id('cut');
  await shop.putSkus(sku);
  await shop.receive(sku, 1);
  const lock =
    'SELECT FROM availability.sku_gate NATURAL JOIN availability.sku_code WHERE code = $1 FOR UPDATE OF sku_gate';
  const cut = `
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name LIKE '%-feed-apply' AND wait_event_type = 'Lock'`;
  await withClient(system.databaseOwnerUrl, async (owner) => {
    await owner.query('BEGIN');
    await owner.query(lock, [sku]);
    const feed = { mode: 'delta', capturedAt: new Date().toISOString(), rows: [`${sku},${node},1`] } as const;
    await shop.sendFeed({ id: shop.id('feed'), ...feed });
    // pg_stat_activity says the same for all of a transaction, unless it is asked by another.
    await withClient(system.databaseOwnerUrl, (other) =>
      until('the feed to wait for the gate', async () => (await other.query(cut)).rows.length > 0 || undefined),
    );
  });
}

/** A system tells for the first time, and at which stage it deducts. */
async function nameSource({ shop }: Stage): Promise<void> {
  const name = shop.id('till');
  await shop.demand((onepool) => onepool.putSource({ params: { name }, body: { deductsAt: 'picked' } }));
}

/** Once it is announced, it has its keys for ever: each round announces another. */
async function announceReceipt({ shop }: Stage): Promise<void> {
  const [node] = shop.nodes;
  const sku = shop.id('coming');
  await shop.putSkus(sku);
  const lines = [{ id: '1', sku, node, quantity: 5 }];
  await shop.demand((onepool) => onepool.putInbound({ params: { id: shop.id('po') }, body: { lines } }));
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
  for (let receipt = 0; receipt < RECEIPTS; receipt += 1) {
    await shop.receive(sku, 1, third);
    await delay(BETWEEN_LOOKS_MS);
  }
}

/** A node is drained that has a promise, and sells again. */
async function drainNode({ shop }: Stage): Promise<void> {
  const [node] = shop.nodes;
  const sku = shop.id('drained');
  await shop.putSkus(sku);
  await shop.receive(sku, 1);
  await shop.demandHold(sku, 1);
  const rule = `${shop.prefix}drain`;
  for (const mode of ['drain', 'none'] as const) {
    await shop.demand((onepool) => onepool.putStopRules({ body: { rules: [{ rule, mode, nodes: [node] }] } }));
    await delay(BETWEEN_LOOKS_MS * RECEIPTS);
  }
}
