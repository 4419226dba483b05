/** Sends the plan's operations in the trace's order, many at a time, at full speed or by the trace's own clock. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Plan } from '@onepool/simulator-domain';
import { inParallel } from './in-parallel.ts';
import type { OrderDriver } from './order-driver.ts';

export interface DriveOptions {
  readonly concurrency: number;
  /** How many times faster than the trace's clock; `max` sends as fast as answers come. */
  readonly speed: number | 'max';
  /** Told after every operation. */
  readonly onDone: () => void;
}

/** Milliseconds from the first operation to the last answer. */
export const drivePlan = async (
  { operations }: Plan,
  driver: OrderDriver,
  { concurrency, speed, onDone }: DriveOptions,
): Promise<number> => {
  const startMs = performance.now();
  const traceStartMs = operations[0]?.atMs ?? 0;
  await inParallel(operations, concurrency, async (operation) => {
    if (speed !== 'max') await waitUntil(startMs + (operation.atMs - traceStartMs) / speed);
    await driver.perform(operation);
    onDone();
  });
  return performance.now() - startMs;
};

/** Timers hold at most about 24 days; a year at its own pace needs several. */
const TIMER_MS_MAX = 1_000_000_000;
const waitUntil = async (atMs: number): Promise<void> => {
  for (let left = atMs - performance.now(); left > 0; left = atMs - performance.now())
    await wait(Math.min(left, TIMER_MS_MAX));
};
