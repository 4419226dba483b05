/** What a replay will send, decided before anything is sent: a pure function of trace, options and seed. */
import type { ChannelOfRun, HoldRequest, MovementsRequest, NodeOfRun } from '../messages.ts';

export interface PlanOptions {
  /** Every id of the run begins with `r<run>-`, so that a run can be repeated on one system. */
  readonly run: string;
  readonly seed: number;
  readonly nodes: number;
  /** Share of orders that are sold at a counter, in [0, 1]; likewise the next two. */
  readonly posShare: number;
  /** Share of reservations that take what there is. */
  readonly partialShare: number;
  /** Share of granted reservations that are confirmed; a tenth is released and the others stay held. */
  readonly confirmShare: number;
}

/** What the shopper and the shop do with a granted reservation. */
export const FATES = ['held', 'released', 'confirmed', 'cancelled', 'fulfilled', 'part_fulfilled'] as const;
export type Fate = (typeof FATES)[number];

export const VERBS = ['release', 'confirm', 'cancel', 'fulfil', 'fulfil_part'] as const;
export type Verb = (typeof VERBS)[number];

interface Timed {
  /** The trace's own clock, milliseconds since the epoch. */
  readonly atMs: number;
}
export interface HoldOperation extends Timed {
  readonly kind: 'hold';
  readonly request: HoldRequest;
}
/** A later step of a reservation; it is left out when the one before it did not succeed. */
export interface VerbOperation extends Timed {
  readonly kind: 'verb';
  readonly verb: Verb;
  readonly reservation: string;
}
export interface MovementOperation extends Timed {
  readonly kind: 'movement';
  readonly cause: 'pos_sale' | 'return' | 'write_off';
  readonly request: MovementsRequest;
}
export type Operation = HoldOperation | VerbOperation | MovementOperation;

export interface Plan {
  readonly options: PlanOptions;
  readonly keyPrefix: string;
  readonly skus: readonly string[];
  readonly nodes: NodeOfRun[];
  readonly channels: ChannelOfRun[];
  /** Starting stock: all of it is acknowledged before the first operation is sent. */
  readonly stock: readonly MovementsRequest[];
  readonly operations: readonly Operation[];
  /** Invoices with demand: reservations plus counter sales. */
  readonly orders: number;
  /** Units those orders ask for. */
  readonly units: number;
  readonly lines: number;
}
