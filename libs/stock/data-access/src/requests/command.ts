/** What the engine decides on: commands whose codes are resolved to keys, and the outcomes they get. */
import type {
  HoldDemand,
  Move,
  NodeKey,
  ChannelKey,
  PartLine,
  Pin,
  Rejection,
  SkuKey,
  StockMovement,
} from '@onepool/stock-domain';
import type { Limits } from '@onepool/platform-rights';
import type { MovementsResult, Reservation as ReservationView } from '@onepool/contracts';

export interface Traced {
  /** W3C traceparent of the request, for the facts that it causes. */
  readonly trace: string | null;
}

/** Who does something. */
export interface Doer {
  /** The principal that calls. */
  readonly actor: string;
  /** The person that calls, or on whose behalf a service does; null where nobody in particular does. It is kept and told. */
  readonly person: string | null;
}

/** Who asks, and for which nodes and channels it may. */
export interface Asker extends Doer, Limits {
  /** Milliseconds: when it said that it sent the request by its own clock. */
  readonly sentAt?: number | null;
}

/** Who asks, and with which idempotency key. */
export interface Keyed extends Doer, Traced {
  /** Scoped to the actor, whoever the person is. */
  readonly id: string;
  /** SHA-256 of the request, so that the same key with another body is told apart. */
  readonly bodyHash: Buffer;
}

export interface HoldCommand extends Keyed {
  readonly kind: 'hold';
  /** For whom; the reservation's id is scoped to it. */
  readonly owner: string;
  readonly skus: readonly SkuKey[];
  readonly channel: ChannelKey;
  readonly demand: HoldDemand;
  readonly nodes: readonly NodeKey[] | null;
  readonly expiresInSeconds: number;
}

export type Verb =
  | { readonly name: 'extend'; readonly expiresInSeconds: number }
  | { readonly name: 'confirm'; readonly reacquire: boolean }
  | { readonly name: 'release' | 'cancel'; readonly parts: readonly PartLine[] | null }
  | {
      readonly name: 'fulfil';
      readonly parts: readonly PartLine[] | null;
      /** Milliseconds; null means when it is recorded. */
      readonly occurredAt: number | null;
    }
  | {
      readonly name: 're-back';
      readonly expectedVersion: number;
      readonly moves: readonly Move[];
      readonly pin: Pin | null;
    };

export interface VerbCommand extends Keyed {
  readonly kind: 'verb';
  readonly skus: readonly SkuKey[];
  readonly reservationKey: number;
  readonly verb: Verb;
  readonly limits: Limits;
}

export interface MovementsCommand extends Keyed {
  readonly kind: 'movements';
  readonly skus: readonly SkuKey[];
  readonly source: string;
  /** Milliseconds, corrected by what is known of the sender's clock; null means when it is recorded. */
  readonly occurredAt: number | null;
  readonly movements: readonly (StockMovement & {
    readonly reason: string | null;
    readonly sourceEventId: string | null;
  })[];
}

/** The engine's own housekeeping: locking a SKU reaps what is overdue; `heal` also re-backs its shortfall. */
export interface TendCommand extends Traced {
  readonly kind: 'tend';
  readonly skus: readonly SkuKey[];
  readonly heal: boolean;
}

export type Command = HoldCommand | VerbCommand | MovementsCommand | TendCommand;

/** Each SKU once, ascending: the order in which gates are locked. */
export const skusOf = (commands: readonly Command[]): readonly SkuKey[] =>
  [...new Set(commands.flatMap(({ skus }) => skus))].sort((a, b) => a - b);

/** What became of a command, and whether it is the answer to an earlier request with the same key. */
export type Settled<Value, Why> =
  | { readonly ok: true; readonly value: Value; readonly replayed: boolean }
  | { readonly ok: false; readonly rejection: Why };

export type Outcome = Settled<ReservationView | MovementsResult | null, Rejection>;
