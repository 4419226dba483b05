/** What a batch has decided to write, collected while it decides and written by one statement. */
import { OWN_SOURCE, type ReservationChanged } from '@onepool/contracts';
import {
  type Backing,
  type ChannelKey,
  type Controller,
  type Destination,
  type FenceKey,
  type LateUnits,
  type LineNo,
  type NodeAtp,
  type NodeKey,
  type Posting,
  type Reservation,
  STOCK_STATES,
  type SkuKey,
  type SkuSupply,
  type Stage,
  type Stop,
  type SupplyKey,
  type SupplyRow,
  type Told,
  type ToldBook,
} from '@onepool/stock-domain';
import type { SourceKey } from '../sources/source-book.ts';
import type { Doer, Keyed, StoredAnswer } from '../requests/command.ts';
import { controllerKey } from '../repository/controllers.ts';
import type { InspectionOrigin, StoredInspection } from '../repository/inspections.ts';
import type { StoredInboundLine } from '../repository/inbound-lines.ts';
import type { OpenException } from '../repository/open-exceptions.ts';
import type { WaitPlace } from '../repository/tend-tasks.ts';
import type { LineName } from '../repository/healing-reads.ts';
import type { AnsweredLine } from '../repository/stored-reservations.ts';

/** Who does what nobody has asked for. */
export const THE_ENGINE: Doer = { actor: OWN_SOURCE, person: null };

/** Why a posting was made and who said so. `occurredAt` in milliseconds. */
export interface LedgerOrigin {
  readonly reason: string;
  readonly source: SourceKey;
  /** The name under which it was told; null of what nobody told under a name. */
  readonly sourceName: string | null;
  readonly sourceEventId: string;
  readonly occurredAt: number;
}

/** By whom it was told, and under which id. */
export const toldBy = ({ sourceKey, id }: Keyed): Pick<LedgerOrigin, 'source' | 'sourceName' | 'sourceEventId'> => ({
  source: sourceKey,
  sourceName: null,
  sourceEventId: id,
});

export interface LedgerRow extends Posting, LedgerOrigin {
  readonly supplyKey: SupplyKey;
  readonly version: number;
  readonly ordinal: number;
}

/** Who holds a reservation, or undoes one that is not there, and what else is kept of it. */
export interface NewReservation {
  readonly key: number;
  readonly owner: string;
  readonly id: string;
  readonly actor: string;
  readonly person: string | null;
  readonly bodyHash: Buffer;
  /** 0 of a tombstone. */
  readonly channel: ChannelKey;
  readonly priority: number;
  readonly customerReference: string | null;
  readonly destination: Destination | null;
  readonly isTombstone: boolean;
  readonly lines: readonly AnsweredLine[];
  readonly expiresAt: number;
}

/** Units that a source told of too late: the row's newest count had seen them. Times in milliseconds. */
export interface LateNote extends Omit<LateUnits, 'index'> {
  readonly kind: string;
  readonly source: SourceKey;
  readonly sourceEventId: string;
  readonly occurredAt: number;
}

export interface ChangedSku {
  readonly sku: SkuKey;
  readonly rows: readonly SupplyRow[];
  readonly version: number;
  /** Of the last command that changed the SKU. */
  readonly trace: string | null;
  /** All that name it, if they have changed. */
  readonly stops?: readonly Stop[];
  /** What has changed of it without a posting. */
  readonly beside?: ReadonlySet<'fence' | 'inbound_line'> | undefined;
}

export interface RowQuantity {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly quantity: number;
}

/** An exception as it is from now on. */
export interface ExceptionWrite extends Omit<OpenException, 'key' | 'openedAt'> {
  readonly supplyKey: SupplyKey | null;
}

/** Of promises that a fact names. */
export interface NamedPromise {
  readonly owner: string;
  readonly id: string;
  readonly order: string | null;
  /** The client's. */
  readonly line: string;
  readonly fulfilment: string | null;
  readonly quantity: number;
  /** Milliseconds. */
  readonly dueAt: number | null;
  readonly candidates: readonly NodeAtp[];
}

export interface PromiseNews {
  readonly fact: 'short' | 'mended' | 'stranded';
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly line: LineName | null;
  readonly quantity: number;
  readonly promises: readonly NamedPromise[];
}

export interface FenceUseWrite {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly fence: FenceKey;
  readonly used: number;
}

/** Units of a line, and what is said of it. Times in milliseconds. */
export interface InboundLineWrite extends StoredInboundLine {
  /** Whether it is loaded with its SKU. */
  readonly isOpen: boolean;
}

/** Units that wait for approval from now on. Times in milliseconds. */
export interface NewInspection extends RowQuantity {
  readonly origin: InspectionOrigin;
  readonly actor: string;
  readonly commandId: string;
  /** Which part of the command, from 1; null where it has none. */
  readonly line: number | null;
  /** Of the line that brought them, if it was announced. */
  readonly detail: number | null;
  /** What was refused, if they are doubted for that. */
  readonly refused: { readonly reservationKey: number; readonly fulfilment: string } | null;
  readonly reason: string;
  readonly dueAt: number;
}

export interface BackingWrite {
  readonly reservationKey: number;
  /** Null of what is unbacked. */
  readonly supplyKey: SupplyKey | null;
  readonly backing: Backing;
  /** Of units that have not come yet; see `waitRankOf`. */
  readonly waitRank?: number | null;
  readonly expiresAt: number;
  /** Whether it was not there before the batch. */
  readonly isNew: boolean;
}

/** Open units of a backing that have come past a stage (> 0), or that have ended or moved from beyond it (< 0). */
export interface StageEntry {
  readonly reservationKey: number;
  /** Of the reservation. */
  readonly version: number;
  readonly supplyKey: SupplyKey;
  readonly sku: SkuKey;
  readonly no: number;
  readonly stage: Stage;
  readonly units: number;
  /** Milliseconds. */
  readonly occurredAt: number;
}

/** Where the next look at a SKU begins. What is not said stays as the task has it. */
export interface TendTask {
  /** With reservations below this key, of those whose promises are short; null: with the newest. */
  readonly below?: number | null;
  /** Behind this place, with those who wait; null: with the first of them. */
  readonly after?: WaitPlace | null;
  /** How many more times all who wait are offered what is for sale. */
  readonly offers?: number;
}

/** Units of one row that a new reservation holds. */
export interface HeldUnits {
  readonly reservationKey: number;
  readonly source: SourceKey;
  /** Of the reservation. */
  readonly id: string;
  readonly supplyKey: SupplyKey;
  readonly no: number;
  readonly line: LineNo;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly units: number;
  readonly expiresAt: number;
  /** Of the SKU. */
  readonly version: number;
  readonly ordinal: number;
}

export interface AmendedReservation {
  readonly reservation: Reservation;
  readonly channelBefore: ChannelKey;
  /** Whether its lines are others than it was held with. */
  readonly isAmended: boolean;
}

export class Writes {
  #ordinals = 0;
  readonly newReservations: NewReservation[] = [];
  readonly changedReservations = new Map<number, Reservation>();
  /** Those of them of which more has changed than version and expiry, with the channel they were held for. */
  readonly amendedReservations = new Map<number, AmendedReservation>();
  /** Orders that have a reservation after the batch and had not this one before, and those that lose theirs first; by `controllerKey`. */
  readonly attached = new Map<string, { readonly controller: Controller; readonly reservationKey: number }>();
  readonly detached: Controller[] = [];
  readonly holds: HeldUnits[] = [];
  readonly changedBackings = new Map<string, BackingWrite>();
  readonly stageEntries: StageEntry[] = [];
  /** What is told of fulfilments from now on, by the key of the reservation. */
  readonly told = new Map<number, Map<string, Told>>();
  readonly takenEvents: { readonly source: SourceKey; readonly id: string; readonly command: Keyed }[] = [];
  /** Existing rows of which only `available` and `reserved` have changed, and all others. */
  readonly promisedRows: SupplyRow[] = [];
  readonly otherRows: { readonly sku: SkuKey; readonly row: SupplyRow }[] = [];
  /** Keys of rows of lines that are done with. */
  readonly deletedRows = new Set<SupplyKey>();
  /** By the detail of the line. */
  readonly inboundLines = new Map<number, InboundLineWrite>();
  /** Of lines of which nothing else is written. */
  readonly spentLines = new Set<number>();
  readonly newInspections: NewInspection[] = [];
  /** Those that were judged, by their keys. */
  readonly inspections = new Map<number, StoredInspection>();
  readonly fenceUses: FenceUseWrite[] = [];
  readonly setStops: { readonly sku: SkuKey; readonly stop: Stop }[] = [];
  readonly liftedStops: { readonly sku: SkuKey; readonly stop: Stop }[] = [];
  readonly ledger: LedgerRow[] = [];
  readonly lateNotes: LateNote[] = [];
  readonly commands: { readonly command: Keyed; readonly answer: StoredAnswer }[] = [];
  readonly changedSkus: ChangedSku[] = [];
  /** `part` counts from 1 the facts of one change that is too large for one. */
  readonly reservationFacts: {
    readonly data: ReservationChanged;
    readonly part: number;
    readonly trace: string | null;
  }[] = [];
  readonly tendTasks = new Map<SkuKey, TendTask>();
  /** SKUs of which everything was looked at; those that have a task all the same are not done. */
  readonly tended: SkuKey[] = [];
  /** SKUs to be drained, with the key below which the next look goes on; null begins anew. */
  readonly drainTasks = new Map<SkuKey, number | null>();
  readonly drained: SkuKey[] = [];
  /** Opened or changed, and those that end. */
  readonly exceptions: ExceptionWrite[] = [];
  readonly closedExceptions: OpenException[] = [];
  /** What is told of promises that are short, stranded or covered again. */
  readonly promiseNews: PromiseNews[] = [];
  /** Details of lines that are late, and of which all that follows has been done. */
  readonly lateLines: number[] = [];

  attach(controller: Controller, reservationKey: number): void {
    this.attached.set(controllerKey(controller), { controller, reservationKey });
  }

  /** What this batch itself has attached is not there yet. */
  detach(controller: Controller): void {
    if (!this.attached.delete(controllerKey(controller))) this.detached.push(controller);
  }

  /** The last word on a backing wins; it is absolute, since its SKU's gate is ours. */
  changeBacking(write: BackingWrite): void {
    const name = `${write.reservationKey}:${write.backing.no}`;
    const isNew = write.isNew || this.changedBackings.get(name)?.isNew === true;
    this.changedBackings.set(name, isNew === write.isNew ? write : { ...write, isNew });
  }

  /** Rows of a SKU as they are in the end. */
  changeRows({ sku, rows, future }: SkuSupply, changed: readonly SupplyRow[]): void {
    for (const row of changed) {
      const before = rows.find(({ key }) => key === row.key) ?? future.find(({ key }) => key === row.key);
      if (before && isSameButPromised(row, before)) this.promisedRows.push(row);
      else this.otherRows.push({ sku, row });
    }
  }

  /** Nobody has to load a line any more. */
  spend(detail: number): void {
    const line = this.inboundLines.get(detail);
    if (line) this.inboundLines.set(detail, { ...line, isOpen: false });
    else this.spentLines.add(detail);
  }

  /** A SKU is to be looked at. Of what several say of where to begin, the last word counts. */
  tendLater(sku: SkuKey, task: TendTask): void {
    this.tendTasks.set(sku, { ...this.tendTasks.get(sku), ...task });
  }

  tell(reservationKey: number, told: ToldBook): void {
    const all = this.told.get(reservationKey) ?? new Map<string, Told>();
    this.told.set(reservationKey, all);
    for (const [key, now] of told) all.set(key, now);
  }

  hold(held: Omit<HeldUnits, 'ordinal'>): void {
    this.holds.push({ ...held, ordinal: this.#ordinals++ });
  }

  post(posting: Posting, supplyKey: SupplyKey, version: number, origin: LedgerOrigin): void {
    this.ledger.push({ ...posting, ...origin, supplyKey, version, ordinal: this.#ordinals++ });
  }

  get isEmpty(): boolean {
    const { newReservations, changedSkus, ledger, commands, tended, drained } = this;
    const written = [newReservations, changedSkus, ledger, commands, tended, drained];
    const maps = [this.changedReservations, this.tendTasks, this.drainTasks, this.inboundLines, this.spentLines];
    return written.every((rows) => rows.length === 0) && maps.every((map) => map.size === 0);
  }
}

const isSameButPromised = (a: SupplyRow, b: SupplyRow): boolean =>
  STOCK_STATES.every(({ field }) => field === 'available' || field === 'reserved' || a[field] === b[field]);
