import { withClient } from '@onepool/platform-postgres';
import type pg from 'pg';
import type { Shop } from '../shop.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

const ROUNDS = 6;
/** Before and after the time at which the hold expires, by the database's clock, in milliseconds. */
const LOCKED_MS = 300;
const ASKED_MS = 120;
const FREED_MS = 40;
const PATIENCE_MS = 10_000;

/**
 * A hold is confirmed while it is still good, and its gate, which somebody holds, is free only when its time is over: then
 * the confirmation is too late.
 */
export const expiryByTransactionStart: BugTrial = {
  bug: 'stock.expiry_by_transaction_start',
  replicas: 1,
  look: async ({ system, shop }) => {
    let late = 0;
    await withClient(
      system.databaseOwnerUrl,
      async (gate) => {
        for (let round = 0; round < ROUNDS; round += 1) {
          if (await isConfirmedLate(shop, gate, `${shop.prefix}late-${round}`)) late += 1;
        }
      },
      PATIENCE_MS,
    );
    return ifAny(late, `of ${ROUNDS} holds were confirmed after their time was up`);
  },
};

async function isConfirmedLate(shop: Shop, gate: pg.Client, sku: string): Promise<boolean> {
  await shop.putSkus(sku);
  await shop.receive(sku, 5);
  const { id, expiresAt } = await shop.demandHold(sku, 1, { expiresInSeconds: 1 });
  if (expiresAt === null) throw new Error('Broken invariant: a hold without an end');
  await holdGate(gate, sku, expiresAt);
  const confirmed = shop.confirm(id);
  await sleepUntil(gate, expiresAt, FREED_MS);
  await gate.query('COMMIT');
  return (await confirmed).kind === 'granted';
}

async function holdGate(gate: pg.Client, sku: string, expiresAt: string): Promise<void> {
  await sleepUntil(gate, expiresAt, -LOCKED_MS);
  await gate.query('BEGIN');
  await gate.query(
    `SELECT FROM availability.sku_gate JOIN availability.sku_code USING (sku_key) WHERE code = $1 FOR NO KEY UPDATE OF sku_gate`,
    [sku],
  );
  await sleepUntil(gate, expiresAt, -ASKED_MS);
}

async function sleepUntil(client: pg.Client, time: string, laterMs: number): Promise<void> {
  const left = `extract(epoch FROM $1::timestamptz - clock_timestamp()) + $2::float8 / 1000`;
  await client.query(`SELECT pg_sleep(greatest(0, ${left}))`, [time, laterMs]);
}
