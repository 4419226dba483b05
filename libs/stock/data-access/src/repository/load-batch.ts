/**
 * Reads everything a batch needs, under its locks, in the one order every writer takes: SKU gates, then existing
 * reservations, each sorted. Stock rows need no lock of their own, because nothing touches them without their gate.
 * Reads are statements after the locks, so that they see what was committed while the locks were waited for.
 */
import { variant } from '@onepool/platform-failpoints';
import { type SellingRules, type SkuKey, type SkuSupply, type Watermarks, open } from '@onepool/stock-domain';
import type pg from 'pg';
import { type Command, handOversOf, reservationsOf, skusOf } from '../requests/command.ts';
import { type Effect, readEarlierCommands } from './earlier-effects.ts';
import { readWatermarks, skusWithEvents } from './watermarks.ts';
import { type DrainLook, readDrains } from './drain-reads.ts';
import {
  HEALED_PER_LOOK_MAX,
  type TendedLine,
  readBackedOnShortRows,
  readShort,
  readTendedLines,
} from './healing-reads.ts';
import { type OpenException, readOpenExceptions } from './open-exceptions.ts';
import { type AttachedReservation, readControllers } from './controllers.ts';
import { inOrder } from './in-order.ts';
import { type RememberedSupplies, completeSupplies } from './remembered-supplies.ts';
import { type ToldBooks, readTakenEvents, readTold } from './told.ts';
import { type StoredInspection, readInspections } from './inspections.ts';
import { type StoredInboundLine, readInboundLines } from './inbound-lines.ts';
import { type StoredTask, readTendTasks } from './tend-tasks.ts';
import { type WaitingPages, readWaiting } from './waiting-reads.ts';
import { countRiding, readRiders } from './riders.ts';
import { type GatePatience, lockGates } from './gates.ts';
import { readUnderGates } from './read-under-gates.ts';
import type { RulesSource } from '../catalogue/rules-source.ts';
import { type StoredReservation, lockReservations } from './stored-reservations.ts';

export interface BatchState {
  /** Milliseconds, the database's clock, read after the locks. */
  readonly now: number;
  readonly rules: SellingRules;
  readonly versions: Map<SkuKey, number>;
  readonly supplies: Map<SkuKey, SkuSupply>;
  readonly reservations: Map<number, StoredReservation>;
  readonly effects: Map<string, Effect>;
  /** Of the SKUs to be tended or drained. */
  readonly openExceptions: readonly OpenException[];
  /** Keys of reservations that have lost units on short rows of the SKUs to be tended. */
  readonly short: readonly number[];
  /** Lines that bring units of the SKUs to be tended, by their details. */
  readonly tendedLines: ReadonlyMap<number, TendedLine>;
  /** Of the SKUs to be tended, and of those of which stops are lifted. */
  readonly tendTasks: ReadonlyMap<SkuKey, StoredTask>;
  readonly drains: ReadonlyMap<SkuKey, DrainLook>;
  /** Whether units may be overdue that were not loaded: nothing may be decided before they are reaped. */
  readonly hasMoreOverdue: boolean;
  /** Keys of reservations behind short rows of the SKUs to be tended that may move, newest first. */
  readonly healable: readonly number[];
  /** The oldest of them, if older ones were not loaded; else null. */
  readonly healMoreBelow: number | null;
  /** Orders that are to be attached and have a reservation, by `controllerKey`. */
  readonly controllers: Map<string, AttachedReservation>;
  /** Of the reservations of which hand-overs are told. */
  readonly told: ToldBooks;
  /** Events of sources that have taken effect, by `eventKey`. */
  readonly takenEvents: Set<string>;
  /** Who waits for units that the batch may free. */
  readonly waiting: WaitingPages;
  /** Riders on their way with the transfers that commands ship, by the detail of the first line that each names. */
  readonly riding: ReadonlyMap<number, number>;
  /** Lines of receipts and transfers that commands name, by their detail. */
  readonly inboundLines: ReadonlyMap<number, StoredInboundLine>;
  /** Those that commands judge, by their keys. */
  readonly inspections: ReadonlyMap<number, StoredInspection>;
  /** Of the rows of those SKUs that movements and shipments may touch. */
  readonly watermarks: Watermarks;
}

/** @throws what {@link lockGates} does */
export async function loadBatch(
  client: pg.PoolClient,
  commands: readonly Command[],
  rules: RulesSource,
  remembered: RememberedSupplies,
  patience: GatePatience,
): Promise<BatchState> {
  const skus = skusOf(commands);
  const healing = commands.flatMap((command) => (command.kind === 'tend' && command.heal ? command.skus : []));
  const draining = commands.flatMap((command) => (command.kind === 'drain' ? command.skus : []));
  const offering = commands.flatMap((command) => (command.kind === 'stop' ? command.skus : []));
  const named = commands.flatMap(reservationsOf);
  const looked = remembered.look(skus);
  // Sent together, run in this order: whatever follows the gates sees what was committed while they were waited for.
  const [
    versions,
    reading,
    others,
    healable,
    short,
    openExceptions,
    tendedLines,
    tendTasks,
    watermarks,
    controllers,
    told,
    takenEvents,
    inboundLines,
    inspections,
    riding,
    ofVerbs,
  ] = await inOrder([
    lockGates(client, skus, patience),
    readUnderGates(
      client,
      commands,
      skus,
      looked.map(({ version }) => version),
    ),
    readEarlierCommands(client, commands),
    readBackedOnShortRows(client, healing),
    readShort(client, healing),
    readOpenExceptions(client, [...healing, ...draining]),
    readTendedLines(client, healing),
    readTendTasks(client, [...healing, ...offering]),
    readWatermarks(client, skusWithEvents(commands)),
    readControllers(client, commands),
    readTold(client, commands),
    readTakenEvents(client, commands),
    readInboundLines(client, commands),
    readInspections(client, commands),
    countRiding(client, commands),
    lockReservations(client, named),
  ]);
  demandGatesOf(ofVerbs.values(), new Set(skus));
  const { now } = reading;
  const inForce = variant('stock.rules_before_locks') ? rules.known : await rules.at(reading.epoch, client);
  const supplies = completeSupplies(skus, versions, looked, reading.changed, remembered);
  const drains = await readDrains(client, draining, { supplies, rules: inForce, now });
  // Nobody else can want the rows locked above, since all gates of a named reservation are ours. These others may share
  // a SKU with another batch's, so they are locked in order among themselves.
  const handedOver = commands.flatMap((command) => (command.kind === 'movements' ? handOversOf(command) : []));
  const free = { supplies, tasks: tendTasks, hasOverdue: reading.overdue.length > 0 };
  const waiting = await readWaiting(client, commands, free);
  const waitingKeys = [...waiting.pages.values()].flatMap(({ reservations: keys }) => keys);
  const riders = await readRiders(client, commands, supplies);
  const leaving = [...drains.values()].flatMap((look) => [...look.movable, ...look.standing]);
  const shortKeys = [
    ...healable,
    ...short,
    ...openExceptions.flatMap(({ told: known }) => known.map(({ reservation }) => reservation)),
  ];
  const shared = [...reading.overdue, ...shortKeys, ...handedOver, ...leaving, ...riders, ...waitingKeys].filter(
    (key) => !ofVerbs.has(key),
  );
  const reservations = new Map([...ofVerbs, ...(await lockReservations(client, shared))]);
  return {
    now,
    rules: inForce,
    versions,
    supplies,
    reservations,
    effects: new Map([...reading.earlierHolds, ...others]),
    openExceptions,
    short,
    tendedLines,
    tendTasks,
    drains,
    controllers,
    told,
    takenEvents,
    waiting,
    inboundLines,
    inspections,
    riding,
    hasMoreOverdue: reading.hasMoreOverdue,
    healable,
    healMoreBelow: healable.length === HEALED_PER_LOOK_MAX ? (healable.at(-1) ?? null) : null,
    watermarks,
  };
}

/** Thrown out of the transaction: these reservations have open units of more SKUs than were known when they were asked for. */
export class MoreSkusError extends Error {
  override readonly name = 'MoreSkusError';

  /** By the keys of reservations. */
  readonly skus: ReadonlyMap<number, readonly SkuKey[]>;

  constructor(skus: ReadonlyMap<number, readonly SkuKey[]>) {
    super(`${skus.size} reservations have got other SKUs meanwhile`);
    this.skus = skus;
  }
}

/** @throws MoreSkusError */
function demandGatesOf(reservations: Iterable<StoredReservation>, locked: ReadonlySet<SkuKey>): void {
  const more = new Map<number, readonly SkuKey[]>();
  for (const { reservation } of reservations) {
    const skus = reservation.backings.filter((backing) => open(backing) > 0).map(({ sku }) => sku);
    if (!skus.every((sku) => locked.has(sku))) more.set(reservation.key, [...new Set(skus)]);
  }
  if (more.size > 0) throw new MoreSkusError(more);
}
