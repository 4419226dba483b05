/** What the comparison and the child of each side say to each other, over Node's IPC channel. */
import type { Route } from '../http/requests.ts';

export type CompareGroup = 'reserve' | 'http' | 'feed' | 'scale';
export type EngineLoad = 'hot' | 'uniform' | 'carts' | 'alone';
export type FeedLoad = 'reset' | 'delta';
export type ScaleLoad = '10k' | '1m';

/**
 * `reserve.*` and `scale.*` are holds of the engine inside the child; `http.*` are requests and `feed.*` feeds to the app,
 * which the child has started.
 */
export type Workload = `reserve.${EngineLoad}` | `http.${Route}` | `feed.${FeedLoad}` | `scale.${ScaleLoad}`;

export const WORKLOADS: Readonly<Record<CompareGroup, readonly Workload[]>> = {
  reserve: ['reserve.hot', 'reserve.uniform', 'reserve.carts', 'reserve.alone'],
  http: ['http.reserve', 'http.read', 'http.read100'],
  feed: ['feed.reset', 'feed.delta'],
  scale: ['scale.10k', 'scale.1m'],
};

export type Request =
  | { readonly ask: 'prepare'; readonly groups: readonly CompareGroup[] }
  | { readonly ask: 'turn'; readonly workload: Workload; readonly seconds: number; readonly seed: number }
  | { readonly ask: 'finish' };

export interface TurnFigures {
  readonly operations: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  /** CPU microseconds an operation: of the process that holds the engine, and of PostgreSQL with its back ends. */
  readonly appMicroseconds: number;
  readonly postgresMicroseconds: number;
}

export type Reply =
  { readonly ok: true; readonly figures?: TurnFigures } | { readonly ok: false; readonly error: string };
