import type { Servers } from '../../setting/servers.ts';
import type { CompareGroup } from '../protocol.ts';

export interface Measured {
  readonly operations: number;
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** What a group of workloads runs on: databases, an engine or an app, and what it has asked of them. */
export interface Ground {
  /** The process whose CPU time is the app's. */
  readonly pid: number;
  /** Does what a turn needs and nobody counts: files, clean pages, full caches. `name` is the workload's within its group. */
  ready(name: string, seconds: number, seed: number): Promise<void>;
  run(name: string, seconds: number, seed: number): Promise<Measured>;
  close(): Promise<void>;
  /** @throws WrongResultsError. Called once it is closed. */
  verify(): Promise<void>;
}

export type Grounds = Readonly<Record<CompareGroup, (servers: Servers) => Promise<Ground>>>;
