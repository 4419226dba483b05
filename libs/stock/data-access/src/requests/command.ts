/** What the engine decides on: commands whose codes are resolved to keys, and the outcomes they get. */
import type {
  Acknowledgement,
  AllocationMove,
  Amendment,
  Attachment,
  HoldDemand,
  Judgement,
  NodeKey,
  ChannelKey,
  Override,
  RejectedUnits,
  SelectedUnits,
  SkuKey,
  Rider,
  StockMovement,
  StopChange,
  TravelState,
} from '@onepool/stock-domain';
import type { SourceKey } from '../sources/source-book.ts';
import type { Refusal } from './refusal.ts';
import type { Limits } from '@onepool/platform-rights';
import type {
  AllocatedGroup,
  JudgedInspection,
  MovementsResult,
  ReceiptResult,
  Reservation as ReservationView,
  ShipResult,
} from '@onepool/contracts';

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
  /** Whom the ledger names: the actor, or the source under whose name it tells. */
  readonly sourceKey: SourceKey;
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
  /** Of the demand's lines, as the client names them. */
  readonly lineIds: readonly string[];
  readonly priority: number;
  readonly customerReference: string | null;
  readonly expiresInSeconds: number;
}

export type Verb =
  | { readonly name: 'extend'; readonly expiresInSeconds: number }
  | { readonly name: 'confirm'; readonly reacquire: boolean }
  | { readonly name: 'release' | 'cancel'; readonly parts: readonly SelectedUnits[] | null }
  | {
      readonly name: 'fulfil';
      readonly parts: readonly SelectedUnits[] | null;
      /** Milliseconds; null means when it is recorded. */
      readonly occurredAt: number | null;
    }
  | ({ readonly name: 'attach'; readonly confirm: boolean; readonly reacquire: boolean } & Attachment)
  | ({ readonly name: 'amend'; readonly override: Override | null } & Amendment)
  | ({ readonly name: 'acknowledge'; readonly occurredAt: number | null } & Acknowledgement)
  | ({ readonly name: 'reject'; readonly occurredAt: number | null; readonly override: Override | null } & Omit<
      RejectedUnits,
      'isLate' | 'counted'
    >)
  | { readonly name: 'give-up'; readonly parts: readonly SelectedUnits[] }
  | { readonly name: 'unfulfil'; readonly parts: readonly SelectedUnits[]; readonly occurredAt: number | null };

/** Undoes a reservation that is not known yet, so that it is refused if it is asked for after all. */
export interface TombstoneCommand extends Keyed {
  readonly kind: 'tombstone';
  readonly owner: string;
  /** Of the reservation. */
  readonly reservation: string;
  readonly skus: readonly SkuKey[];
}

export interface VerbCommand extends Keyed {
  readonly kind: 'verb';
  readonly skus: readonly SkuKey[];
  readonly reservationKey: number;
  readonly verb: Verb;
  readonly limits: Limits;
}

/** A group of moves that happens together or not at all; a request may have many, each a command of its own. */
export interface AllocateCommand extends Keyed {
  readonly kind: 'allocate';
  /** With the actor and the id it is the idempotency key: 0 of the only group of a request, else from 1. */
  readonly group: number;
  readonly skus: readonly SkuKey[];
  readonly override: Override | null;
  readonly parts: readonly {
    readonly reservationKey: number;
    readonly expectedVersion: number;
    readonly moves: readonly AllocationMove[];
  }[];
}

export interface MovementsCommand extends Keyed {
  readonly kind: 'movements';
  readonly skus: readonly SkuKey[];
  readonly sourceName: string;
  /** Milliseconds, corrected by what is known of the sender's clock; null means when it is recorded. */
  readonly occurredAt: number | null;
  readonly movements: readonly (StockMovement & {
    readonly reason: string | null;
    readonly sourceEventId: string | null;
    /** What the units were for, if they are a hand-over. */
    readonly handOver: { readonly fulfilment: string; readonly reservationKey: number } | null;
  })[];
}

/** Sets, changes or lifts stops of one SKU. Given again it changes nothing, so that it needs no key. */
export interface StopCommand extends Traced {
  readonly kind: 'stop';
  /** The one. */
  readonly skus: readonly [SkuKey];
  readonly changes: readonly StopChange[];
}

/** Announces lines of a receipt, or says something else of them. Given again it changes nothing, so that it needs no key. */
export interface ExpectCommand extends Doer, Traced {
  readonly kind: 'expect';
  readonly sourceKey: SourceKey;
  /** Of the receipt. */
  readonly id: string;
  readonly skus: readonly SkuKey[];
  readonly lines: readonly {
    readonly detail: number;
    readonly sku: SkuKey;
    readonly node: NodeKey;
    /** Units in all, what has arrived included. */
    readonly quantity: number;
    readonly dueAt: number | null;
    readonly isClosed: boolean;
  }[];
}

/** Units that have arrived, as a source tells it. */
export interface ReceiveCommand extends Keyed {
  readonly kind: 'receive';
  readonly skus: readonly SkuKey[];
  readonly sourceName: string;
  /** Milliseconds, corrected by what is known of the sender's clock; null means when it is recorded. */
  readonly occurredAt: number | null;
  readonly reason: string;
  readonly lines: readonly {
    /** Of the line that was announced; null: nobody has announced it. */
    readonly detail: number | null;
    readonly sku: SkuKey;
    readonly node: NodeKey;
    readonly quantity: number;
    readonly damaged: number | null;
    readonly closes: boolean;
  }[];
  /** Promised units that are on its lines with a transfer, as far as was known when it was asked. */
  readonly riding: number;
}

/** Units that have left a node with a leg of a transfer, as a source tells it. */
export interface ShipCommand extends Keyed {
  readonly kind: 'ship';
  /** Those of riders' other units among them. */
  readonly skus: readonly SkuKey[];
  /** Null of what the actor itself tells. */
  readonly sourceName: string | null;
  /** Milliseconds, corrected by what is known of the sender's clock; null means when it is recorded. */
  readonly occurredAt: number | null;
  readonly reason: string;
  readonly transfer: string;
  readonly from: NodeKey;
  readonly lines: readonly {
    readonly detail: number;
    /** As the client names it. */
    readonly line: string;
    readonly sku: SkuKey;
    readonly to: NodeKey;
    readonly quantity: number;
    readonly state: TravelState | null;
    /** Milliseconds; null: nobody knows; undefined: as was said before. */
    readonly dueAt: number | null | undefined;
    readonly riders: readonly { readonly reservationKey: number; readonly selected: Rider['selected'] }[];
  }[];
}

/** What is said of units that wait for approval; a request may have many of these, each a command of its own. */
export interface JudgeCommand extends Keyed {
  readonly kind: 'judge';
  /** As of an allocation. */
  readonly group: number;
  /** The one. */
  readonly skus: readonly [SkuKey];
  /** Its key. */
  readonly inspection: number;
  readonly judgement: Judgement;
}

/**
 * The engine's own housekeeping: locking a SKU reaps what is overdue; `heal` also gives those who wait what is kept for them and
 * moves short promises to where units are, and with `offersAll` those who wait are offered all that is for sale.
 */
export interface TendCommand extends Traced {
  readonly kind: 'tend';
  readonly skus: readonly SkuKey[];
  readonly heal: boolean;
  readonly offersAll?: boolean;
}

/** Sends promises of a SKU elsewhere that may not stay where they are. */
export interface DrainCommand extends Traced {
  readonly kind: 'drain';
  /** The one. */
  readonly skus: readonly [SkuKey];
}

export type Command =
  | HoldCommand
  | TombstoneCommand
  | VerbCommand
  | AllocateCommand
  | MovementsCommand
  | StopCommand
  | ExpectCommand
  | ReceiveCommand
  | JudgeCommand
  | ShipCommand
  | TendCommand
  | DrainCommand;

interface Answers {
  hold: ReservationView;
  /** Null: there is such a reservation meanwhile, and it is to be undone as any other. */
  tombstone: 'made' | null;
  verb: ReservationView;
  allocate: AllocatedGroup;
  movements: MovementsResult;
  /** The version of the SKU from which on it is so. */
  stop: { readonly version: number };
  expect: null;
  receive: ReceiptResult;
  judge: JudgedInspection;
  ship: ShipResult;
  /** Whether the next look at once goes on with what this one has left. */
  tend: { readonly goesOn: boolean };
  drain: null;
}

/** What a command of a kind is answered with. */
export type AnswerOf<Kind extends Command['kind']> = Answers[Kind];
export type StoredAnswer = AnswerOf<'verb' | 'allocate' | 'movements' | 'receive' | 'judge' | 'ship'>;

/** Reservations of which movements tell a hand-over. */
export const handOversOf = ({ movements }: MovementsCommand): readonly number[] =>
  movements.flatMap(({ handOver }) => (handOver ? [handOver.reservationKey] : []));

/** Reservations that a command names, in the order in which a refusal counts them. */
export function reservationsOf(command: Command): readonly number[] {
  if (command.kind === 'verb') return [command.reservationKey];
  if (command.kind === 'ship')
    return command.lines.flatMap(({ riders }) => riders.map(({ reservationKey }) => reservationKey));
  return command.kind === 'allocate' ? command.parts.map(({ reservationKey }) => reservationKey) : [];
}

/** Each SKU once, ascending: the order in which gates are locked. */
export const skusOf = (commands: readonly Command[]): readonly SkuKey[] =>
  [...new Set(commands.flatMap(({ skus }) => skus))].sort((a, b) => a - b);

/** What became of a command, and whether it is the answer to an earlier request with the same key. */
export type Settled<Value, Why> =
  | { readonly ok: true; readonly value: Value; readonly replayed: boolean }
  | { readonly ok: false; readonly rejection: Why };

export type Outcome = Settled<AnswerOf<Command['kind']>, Refusal>;
