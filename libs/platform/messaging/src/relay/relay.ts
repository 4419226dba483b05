import type pg from 'pg';
import { monitorConnection } from '../nats/connection-monitor.ts';
import { relaySettings, type RelayOptions, type RelaySettings } from './relay-options.ts';
import { RelaySession } from './relay-session.ts';
import { WakeUp } from '../wake-up.ts';

/** A running relay. */
export interface Relay {
  /** Call after a commit that appended: the relay looks at once instead of at its next poll. Costs nothing. */
  nudge(): void;
  /**
   * True while the relay gets through its turns with PostgreSQL and NATS both there, whoever owns the partitions, and the
   * stream lacks nothing that it had acknowledged.
   */
  isReady(): boolean;
  /** Whether the stream lost what it had acknowledged and is being filled again by this relay. */
  isRefilling(): boolean;
  /** Why the server does not make the stream, in words; undefined where it does. */
  refusal(): string | undefined;
  /** What an operator should know of the stream, as of the last look of a relay that owns partitions: sentences. */
  warnings(): readonly string[];
  ownedPartitions(): readonly number[];
  /** Finishes the turn under way and gives the partitions up. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 5_000;
const RETRY_DELAY_MS = 200;
const MEASURE_INTERVAL_MS = 2_000;

/**
 * Starts relaying the outbox to JetStream, and keeps at it until stopped: it survives restarts of PostgreSQL and NATS
 * and publishes again whatever the stream lost. Start one in every replica; each partition has one owner at a time.
 */
export function startRelay(options: RelayOptions): Relay {
  const settings = relaySettings(options);
  const wakeUp = new WakeUp();
  // After a failure nudges don't shorten the pause, or a busy writer would turn it into a spin.
  const pause = new WakeUp();
  let session: RelaySession | undefined;
  let stopped = false;
  let lastGoodTurn = -Infinity;
  const monitor = monitorConnection(settings.connection, () => {
    session?.distrustStream();
    pause.wake();
  });

  const turns = async (current: RelaySession): Promise<void> => {
    let nextMeasure = performance.now();
    while (!stopped) {
      if (performance.now() >= nextMeasure) {
        nextMeasure = performance.now() + MEASURE_INTERVAL_MS;
        await current.measure();
      }
      // Without NATS no lease is renewed, so that a replica that still reaches it can take over.
      const turn = monitor.isConnected() ? await current.turn() : 'failed';
      if (turn !== 'failed') lastGoodTurn = performance.now();
      if (turn === 'published') continue;
      await (turn === 'failed' ? pause.wait(RETRY_DELAY_MS) : wakeUp.wait(pollDelay(settings, current)));
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      try {
        await withSession(settings, async (opened) => {
          session = opened;
          await turns(opened);
        });
      } catch (error) {
        settings.hooks.onError?.(error);
        await pause.wait(RETRY_DELAY_MS);
      } finally {
        session = undefined;
      }
    }
  };
  const finished = run();

  return {
    nudge: () => wakeUp.wake(),
    isReady: () =>
      monitor.isConnected() && performance.now() - lastGoodTurn < READY_WITHIN_MS && session?.isRefilling !== true,
    isRefilling: () => session?.isRefilling === true,
    refusal: () => session?.refusal,
    warnings: () => session?.warnings ?? [],
    ownedPartitions: () => session?.ownedPartitions ?? [],
    async stop() {
      stopped = true;
      wakeUp.wake();
      pause.wake();
      await finished;
      monitor.stop();
    },
  };
}

/** Remembered ids are sent with every read, so the poll slows down as an old transaction makes them pile up. */
function pollDelay(settings: RelaySettings, session: RelaySession): number {
  return Math.max(settings.pollIntervalMs, session.publishedAhead / 50);
}

async function withSession(settings: RelaySettings, work: (session: RelaySession) => Promise<void>): Promise<void> {
  const client: pg.PoolClient = await settings.pool.connect();
  try {
    const session = new RelaySession(settings, client);
    try {
      await session.open();
      await work(session);
    } catch (error) {
      // NATS alone may have failed; then the leases are given up in good order. If PostgreSQL did, this fails too.
      await session.close().catch(() => undefined);
      throw error;
    }
    await session.close();
  } finally {
    client.release(true);
  }
}
