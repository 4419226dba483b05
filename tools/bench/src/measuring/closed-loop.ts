/** Callers that each wait for their answer before they ask again. */
import { percentile } from './statistics.ts';

export interface ClosedLoop {
  readonly callers: number;
  readonly seconds: number;
  /** One request; resolves when it is answered, rejects when the answer is not the expected one. */
  readonly call: () => Promise<void>;
}

export interface LoopResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly count: number;
}

/** The first part of every turn fills caches and queues and is not counted. */
const RAMP_SHARE = 0.15;

/** Runs the loop; counts and times the answers that arrived after the ramp and before the end. */
export async function runClosedLoop({ callers, seconds, call }: ClosedLoop): Promise<LoopResult> {
  const begin = performance.now();
  const from = begin + seconds * 1_000 * RAMP_SHARE;
  const until = begin + seconds * 1_000;
  const latencies: number[] = [];
  const caller = async (): Promise<void> => {
    for (let asked = performance.now(); asked < until;) {
      await call();
      const answered = performance.now();
      if (answered >= from && answered <= until) latencies.push(answered - asked);
      asked = answered;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  if (latencies.length === 0) throw new Error(`no answer within ${seconds} seconds`);
  return {
    perSecond: (latencies.length * 1_000) / (until - from),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    count: latencies.length,
  };
}
