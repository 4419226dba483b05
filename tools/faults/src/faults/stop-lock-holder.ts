import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { P99_MS_MAX, onSystem, tooSlow } from '../fault.ts';
import type { Fault, Measures, Stage } from '../fault.ts';
import { percentile } from '../prober/probe.ts';

const NAME = 'availability-1';
/** Longer than a relay's lease, so that its partitions have been taken over when it wakes up. */
const STOPPED_MS = 7_000;
const TRIES_MAX = 1_000;
const HAMMERS = 8;

/**
 * SIGSTOP of a replica in the middle of a transaction that holds the hot SKU's gate: the database ends its session, and
 * the others wait no longer than that. Awake again, it must not apply twice what others did meanwhile.
 */
export const stopLockHolder: Fault = {
  name: 'stop-lock-holder',
  ends: [],
  prepare: onSystem(async (stage): Promise<Measures> => {
    const { system, prober, consumer, say } = stage;
    const [stopped = '', other = ''] = system.urls;
    const pid = system.pidOf(NAME);
    // More holds of the hot SKU, so that the replica mostly has a transaction on its gate.
    const release = prober.hammer(stopped, HAMMERS);
    try {
      await stopWhileHolding(stage, pid, prober.sku);
      const fromMs = performance.now();
      const locksMs = await untilUnlocked(consumer.pool, prober.sku);
      await delay(Math.max(0, STOPPED_MS - (performance.now() - fromMs)));
      const untilMs = performance.now();
      process.kill(pid, 'SIGCONT');
      say(`${NAME} is continued; it kept the gate for ${Math.round(locksMs)} ms`);
      const grantMs = await prober.firstGrant(untilMs, stopped);
      // Every probe of the interval has to be answered before its latency is known.
      await delay(STOPPED_MS / 2);
      const p99Ms = percentile(prober.latencies(other, fromMs, untilMs), 0.99);
      return {
        recoveryMs: grantMs - untilMs,
        ...(p99Ms === undefined ? {} : { p99Ms }),
        note: `the gate was kept for ${Math.round(locksMs)} ms`,
        violations: tooSlow('p99 of the other replica', p99Ms, P99_MS_MAX),
      };
    } finally {
      release();
      process.kill(pid, 'SIGCONT');
    }
  }),
};

/** Stops the process at instants chosen by chance until one is found at which it holds the gate. */
async function stopWhileHolding({ consumer, prober, say }: Stage, pid: number, sku: string): Promise<void> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
    await delay(Math.random() * 10);
    process.kill(pid, 'SIGSTOP');
    // Twice: what is still on its way to the database may end the transaction.
    const holds = (await holdsGate(consumer.pool, sku)) && (await delay(30), await holdsGate(consumer.pool, sku));
    if (holds) return say(`${NAME} is stopped while it holds the gate of ${prober.sku} (attempt ${attempt})`);
    process.kill(pid, 'SIGCONT');
  }
  throw new Error(`${NAME} never held the gate when it was stopped.`);
}

/**
 * True when a session of the replica stands idle in the very transaction that has locked the SKU's gate: a row's xmax
 * names who locks or changes it. A stopped process sends nothing, so its session stays so until the database ends it.
 */
async function holdsGate(pool: pg.Pool, sku: string): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT 1
       FROM availability.sku_gate AS gate
       JOIN availability.sku_code USING (sku_key)
       JOIN pg_stat_activity AS session ON session.backend_xid::text = gate.xmax::text
      WHERE sku_code.code = $2 AND session.application_name = $1 AND session.state = 'idle in transaction'`,
    [`${NAME}-engine`, sku],
  );
  return rows.length > 0;
}

/** Milliseconds until the database has taken the gate from the stopped replica. */
async function untilUnlocked(pool: pg.Pool, sku: string): Promise<number> {
  const fromMs = performance.now();
  while (await holdsGate(pool, sku)) await delay(10);
  return performance.now() - fromMs;
}
