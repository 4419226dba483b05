/** The shape of a fault: what takes part, what is done to it while traffic flows, and what has to hold besides. */
import type { OwnConsumer } from './consumer/own-consumer.ts';
import type { OwnSystem } from './own-system.ts';
import type { Prober } from './prober/prober.ts';
import type { Replay } from './replay.ts';

/** Everything a fault may touch while traffic flows. */
export interface Stage {
  readonly system: OwnSystem;
  readonly consumer: OwnConsumer;
  readonly replay: Replay;
  readonly prober: Prober;
  readonly say: (message: string) => void;
}

/** What was measured, and which claims did not hold. Undefined where the fault has no such figure. */
export interface Measures {
  /** From what was ended being back to the first grant, milliseconds. */
  readonly recoveryMs?: number;
  /** From the blow to that grant, milliseconds. */
  readonly outageMs?: number;
  /** Of the probes through the replicas that were not touched, milliseconds. */
  readonly p99Ms?: number;
  readonly note?: string;
  readonly violations: readonly string[];
}

/** A fault made ready, before traffic begins. */
export interface ReadyFault {
  /** Replicas that take traffic. */
  readonly urls: readonly string[];
  readonly inject: (stage: Stage) => Promise<Measures>;
  /** Called when nothing needs what was made ready any more. */
  readonly end: () => Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** Processes of the system that the fault ends; all others must live through it. */
  readonly ends: readonly string[];
  readonly prepare: (system: OwnSystem) => Promise<ReadyFault>;
}

/** "first 201 within 3 s of the server being back", and the same bound for those beside a stopped replica. */
export const RECOVERY_MS_MAX = 3_000;
export const P99_MS_MAX = 3_000;

/** For a fault that needs nothing but the system as it stands. */
export function onSystem(inject: ReadyFault['inject']): Fault['prepare'] {
  return (system) => Promise.resolve({ urls: system.urls, inject, end: () => Promise.resolve() });
}

export function tooSlow(what: string, ms: number | undefined, msMax: number): readonly string[] {
  if (ms !== undefined && ms <= msMax) return [];
  return [`${what}: ${ms === undefined ? 'nothing measured' : `${Math.round(ms)} ms`}, at most ${msMax} ms claimed`];
}
