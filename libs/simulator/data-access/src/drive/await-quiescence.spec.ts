import { beforeEach, describe, expect, it } from '@jest/globals';
import { valueOf } from '@onepool/client';
import { SKU_CHANGED } from '@onepool/contracts';
import { FactLog } from '../facts/fact-log.ts';
import type { FactSource } from '../facts/fact-source.ts';
import type { Caller, Onepool } from './api-client.ts';
import { type Quiescence, awaitQuiescence } from './await-quiescence.ts';

const ENDED_MS = Date.parse('2026-01-01T00:00:10Z');
const STALL_MS = 30_000;
const POLL_MS = 200;

/** A system that has ended its work; what arrives at each turn of the clock is the test's. */
describe('awaitQuiescence', () => {
  let nowMs = 0;
  let log: FactLog;
  let source: FactSource;
  let rewinds = 0;
  beforeEach(() => {
    nowMs = 0;
    rewinds = 0;
    log = new FactLog('r1-');
    source = {
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      rewind: () => void (rewinds += 1),
    };
  });

  const stock = { sku: 'r1-A', version: 1, asOf: new Date(ENDED_MS).toISOString(), rows: [] };
  const onepool = {
    getStock: () => Promise.resolve({ ok: true, status: 200, value: stock }),
    countEvents: () => Promise.resolve({ ok: true, status: 200, value: { written: 1 } }),
  } as unknown as Onepool;
  const call: Caller['call'] = async (send) => {
    const interval = { fromMs: nowMs, untilMs: nowMs };
    return { kind: 'granted', value: valueOf(await send(onepool)), interval, earlierAttemptOpen: false };
  };
  let number = 0;
  const deliver = (sku: string, recordedAtMs: number): void => {
    const recordedAt = new Date(recordedAtMs).toISOString();
    const data = { sku, fromVersion: 0, toVersion: 1, recordedAt, rows: [] };
    log.take({ id: String((number += 1)), subject: SKU_CHANGED, key: `sku/${sku}`, data, receivedAtMs: nowMs });
  };
  /** `arrive` is told the number of the turn. */
  const quiescence = (arrive: (turn: number) => void): Promise<Quiescence> => {
    let turn = 0;
    const wait = async (ms: number): Promise<void> => {
      nowMs += ms;
      arrive((turn += 1));
    };
    const clock = { now: () => nowMs, wait };
    const plan = { skus: ['r1-A'], keyPrefix: 'r1-' };
    const options = { concurrency: 1, stallMs: STALL_MS, pollMs: POLL_MS, clock };
    return awaitQuiescence({ call }, plan, { log, source }, options);
  };
  const turnsIn = (ms: number): number => Math.ceil(ms / POLL_MS);

  it('waits as long as facts of the time before arrive, however slowly a lost stream is filled again', async () => {
    const refillTurns = turnsIn(4 * STALL_MS);
    const { settled } = await quiescence((turn) => {
      if (turn < refillTurns) deliver('r0-other', ENDED_MS - 1);
      else deliver('r1-A', ENDED_MS);
    });
    expect(settled).toBe(true);
    expect(nowMs).toBeGreaterThan(3 * STALL_MS);
  });

  it('does not wait for a lost fact as long as others write new ones', async () => {
    const { settled } = await quiescence(() => deliver('r0-other', ENDED_MS + 1));
    expect(settled).toBe(false);
    expect(nowMs).toBeLessThan(2 * STALL_MS);
  });

  it('reads everything once more before it gives up', async () => {
    const { settled } = await quiescence(() => undefined);
    expect([settled, rewinds]).toEqual([false, 1]);
  });
});
