/**
 * A client changes its mind about a reservation: lines, quantities, nodes, destination, priority or channel, of held and of
 * confirmed units. All or nothing, and units that it keeps stay where they are: they are never given up to be won again.
 *
 * First the units that end, and those whose place no longer suits them, are given up. Then what is needed is allocated over what is
 * there after that, and the net effect is settled as for any other moves.
 */
import { takeAhead, unitsIn } from './ahead.ts';
import { type AllocationPolicy, type Destination, allocationOf } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import { type BackingChange, type VerbEffect, changeOf, next, standingOf } from './decide-verb.ts';
import type { ChannelKey, NodeKey, SkuKey } from './keys.ts';
import { leastFreeFirst } from './line-order.ts';
import { moveUnits } from './move-units.ts';
import type { Decision, Rejection, Shortage } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import {
  type Backing,
  type BackingPlace,
  type OpenTally,
  type Reservation,
  type ReservationLine,
  endUnits,
  open,
  statusOf,
  supplyOf,
  totalOf,
  withBacking,
  withUnits,
} from './reservation.ts';
import { type BackingUnits, type SelectedUnits, leastAdvanced, selectUnits, unitsMissing } from './select-units.ts';
import type { SellingChannel } from './selling-rules.ts';
import { Settlement, type Terms } from './settlement.ts';
import { type Supplies, SupplyDraft } from './supply.ts';
import { stockAt } from './supply-row.ts';

/** A line as the client wants it from now on. */
export interface AmendedLine {
  readonly id: string;
  /** Another one than the line has: what is left of that one ends. Several lines of one id are its parts, and name all it has. */
  readonly sku: SkuKey;
  /** In all, what was fulfilled included. */
  readonly quantity: number;
  /** Null: any eligible node. */
  readonly nodes: readonly NodeKey[] | null;
  /** What it needs and is not there may be promised of what is to come. */
  readonly mayWait?: boolean;
}

export interface Amendment {
  readonly expectedVersion: number;
  /** Lines that are not named stay as they are. No two have the same id and SKU. */
  readonly lines: readonly AmendedLine[];
  /** Who sells it from now on; null leaves it as it is. */
  readonly channel: ChannelKey | null;
  /** Null: none from now on; undefined leaves it as it is. */
  readonly destination: Destination | null | undefined;
  /** Null leaves it as it is. */
  readonly priority: number | null;
}

/**
 * With an override, thresholds and eligibility of the channel do not count. The nodes of a line do: whoever amends it has just
 * said them.
 */
export function decideAmend(
  reservation: Reservation,
  amendment: Amendment,
  supplies: Supplies,
  terms: Terms,
  policy: AllocationPolicy = DEFAULT_ALLOCATION,
): Decision<VerbEffect> {
  const { expectedVersion, lines } = amendment;
  if (reservation.version !== expectedVersion)
    return reject({ code: 'reservation.conflict', version: reservation.version });
  if (statusOf(reservation.backings) === 'closed') return reject({ code: 'reservation.not_held', at: null });
  const changes = lineChanges(reservation, lines);
  const amended: Reservation = {
    ...reservation,
    lines: changes.map(lineAfter),
    channel: amendment.channel ?? reservation.channel,
    destination: amendment.destination === undefined ? reservation.destination : amendment.destination,
    priority: amendment.priority ?? reservation.priority,
  };
  const work = new Amending(reservation, amended, terms);
  for (const change of changes) {
    const rejection = work.giveUp(change);
    if (rejection) return reject(rejection);
  }
  return work.finish(changes, supplies, policy);
}

/** The lines as they are after an amendment, so that a refusal can be told of one that it would have added. */
export const linesAfter = (reservation: Reservation, lines: readonly AmendedLine[]): readonly ReservationLine[] =>
  lineChanges(reservation, lines).map(lineAfter);

interface LineChange {
  readonly line: ReservationLine;
  /** Open units by which it shrinks or grows, one of them 0; both of what is not named. */
  readonly less: number;
  readonly more: number;
  /** What is wanted of it in all; null of a line that is not named. */
  readonly quantity: number | null;
  readonly nodes: readonly NodeKey[] | null;
  readonly mayWait: boolean;
}

function lineChanges({ lines, backings }: Reservation, amended: readonly AmendedLine[]): readonly LineChange[] {
  const named = new Map(amended.map((line) => [partOf(line), line]));
  if (named.size < amended.length) throw new Error('Broken invariant: an amendment names a line twice');
  const ids = new Set(amended.map(({ id }) => id));
  const known = lines.map((line) => {
    const own = backings.filter((backing) => backing.line === line.no);
    const found = named.get(partOf(line));
    if (found) return lineChange(line, own, found);
    // Another SKU has taken its place.
    if (ids.has(line.id)) return lineChange(line, own, { quantity: totalOf(own, 'fulfilled'), nodes: line.nodes });
    return { line, less: 0, more: 0, quantity: null, nodes: line.nodes, mayWait: false };
  });
  const parts = new Set(lines.map(partOf));
  const added = amended.filter((line) => !parts.has(partOf(line)));
  return [...known, ...added.map((line, place) => lineChange(newLine(lines.length + place, line), [], line))];
}

const partOf = ({ id, sku }: Pick<AmendedLine, 'id' | 'sku'>): string => `${sku}:${id}`;

const newLine = (no: number, { id, sku, nodes }: AmendedLine): ReservationLine => ({
  no,
  id,
  sku,
  requested: 0,
  granted: 0,
  added: 0,
  withdrawn: 0,
  nodes,
});

function lineChange(
  line: ReservationLine,
  own: readonly Backing[],
  { quantity, nodes, mayWait = false }: Pick<AmendedLine, 'quantity' | 'nodes' | 'mayWait'>,
): LineChange {
  const wanted = quantity - own.reduce((sum, backing) => sum + open(backing) + backing.fulfilled, 0);
  return { line, less: Math.max(0, -wanted), more: Math.max(0, wanted), quantity, nodes, mayWait };
}

/** Units of a named line that have ended otherwise than with the buyer are not wanted any more, however they ended. */
function lineAfter({ line, more, quantity, nodes }: LineChange): ReservationLine {
  if (quantity === null) return line;
  const added = line.added + more;
  return { ...line, nodes, added, withdrawn: line.granted + added - quantity };
}

const ENDED_AS = { held: 'released', confirmed: 'cancelled' } as const satisfies Record<OpenTally, string>;

/** An amendment half-way: what has been given up, and what is to be taken for it. */
class Amending {
  readonly #before: Reservation;
  readonly #amended: Reservation;
  readonly #terms: Terms;
  readonly #channel: SellingChannel | null;
  readonly #giver: SellingChannel | null;
  readonly #settlement = new Settlement();
  readonly #changes: BackingChange[] = [];
  /** Units that must leave where they are, by line. */
  readonly #leaving = new Map<number, readonly BackingUnits[]>();
  #backings: readonly Backing[];

  constructor(before: Reservation, amended: Reservation, terms: Terms) {
    this.#before = before;
    this.#amended = amended;
    this.#terms = terms;
    this.#channel = terms.rules.channels.get(amended.channel) ?? null;
    this.#giver = terms.rules.channels.get(before.channel) ?? null;
    this.#backings = before.backings;
  }

  /** Ends what the line is to have less, and marks what must leave where it is. What would have to leave anyway ends first. */
  giveUp(change: LineChange): Rejection | null {
    const { line, less } = change;
    const mustMove = (backing: Backing): boolean => backing.fulfilment === null && !this.#maySuit(change, backing);
    if (less > 0) {
      const selected: SelectedUnits = { line: line.id, sku: line.sku, quantity: less };
      const movableFirst = (a: Backing, b: Backing): number =>
        Number(mustMove(b)) - Number(mustMove(a)) || leastAdvanced(a, b);
      const ended = selectUnits(this.#before, selected, notShipped, movableFirst);
      if (!ended) return unitsMissing(this.#before, selected, notShipped);
      for (const { backing, quantity } of ended) this.#end(backing, quantity);
    }
    const misplaced = this.#backings.filter(
      (backing) => backing.line === line.no && open(backing) > 0 && !this.#maySuit(change, backing),
    );
    for (const { sku, node, fulfilment } of misplaced)
      if (fulfilment !== null) return { code: 'reservation.pinned', at: { line: line.id, sku, node, fulfilment } };
    for (const backing of misplaced) this.#give(backing, backing);
    this.#leaving.set(
      line.no,
      misplaced.map((backing) => ({ backing, quantity: open(backing) })),
    );
    return null;
  }

  /** Allocates what the lines need, and settles all of it. */
  finish(changes: readonly LineChange[], supplies: Supplies, policy: AllocationPolicy): Decision<VerbEffect> {
    const draft = new SupplyDraft(supplies);
    const shortages = changes.toSorted(leastFreeFirst).flatMap((change) => this.#take(change, draft, policy) ?? []);
    if (shortages.length > 0)
      return reject({ code: 'stock.insufficient', shortages: shortages.toSorted((a, b) => a.line - b.line) });
    const after = { channel: this.#amended.channel, backings: this.#backings };
    const settled = this.#settlement.settle(draft, this.#terms, [{ before: this.#before, after }]);
    if (!settled.ok) return settled;
    const reservation = next(this.#amended, { backings: settled.value[0] ?? this.#backings });
    return accept({ reservation, effect: draft.effect(), changes: this.#changes });
  }

  /** Units stay where they are, unless it is this amendment that takes their node from the line or its channel. */
  #maySuit({ line, nodes }: LineChange, { kind, node }: Backing): boolean {
    if (kind === 'unbacked' || node === 0) return true;
    if (mayServe(line.nodes, node) && !mayServe(nodes, node)) return false;
    const { rules, now, override } = this.#terms;
    if (override || this.#amended.channel === this.#before.channel) return true;
    return this.#channel !== null && rules.isEligible(this.#channel, node, now);
  }

  #end(backing: Backing, quantity: number): void {
    const held = Math.min(quantity, backing.held);
    const units = { held, confirmed: quantity - held };
    let left = endUnits(backing, 'held', ENDED_AS.held, units.held, 'least');
    left = endUnits(left, 'confirmed', ENDED_AS.confirmed, units.confirmed, 'least');
    this.#backings = withBacking(this.#backings, left);
    this.#give(backing, units);
    this.#changes.push(changeOf(backing, quantity));
  }

  #give(backing: Backing, { held, confirmed }: Readonly<Record<OpenTally, number>>): void {
    const at = supplyOf(backing);
    if (at) this.#settlement.give({ sku: backing.sku, at, units: { held, confirmed }, channel: this.#giver });
  }

  #take(change: LineChange, draft: SupplyDraft, policy: AllocationPolicy): Shortage | null {
    const { line, more, nodes, mayWait } = change;
    const { no, sku } = line;
    const leaving = this.#leaving.get(no) ?? [];
    const requested = leaving.reduce((sum, { quantity }) => sum + quantity, more);
    if (requested === 0) return null;
    const channel = this.#channel;
    if (!channel) return { line: no, sku, requested, atp: 0 };
    const supply = draft.supply(sku);
    const room = this.#settlement.room(supply, channel, nodes, this.#terms);
    const quantity = mayWait ? Math.min(requested, this.#settlement.shown(supply, channel, this.#terms)) : requested;
    const demand = { quantity, destination: this.#amended.destination, rules: this.#terms.rules };
    const { allocations, leftover } = allocationOf(policy, demand, room);
    const missing = requested - quantity + leftover;
    const ahead =
      mayWait && missing > 0 ? takeAhead(this.#settlement.ahead(supply, channel, nodes, this.#terms), missing) : [];
    const atp = requested - missing + unitsIn(ahead);
    if (atp < requested) return { line: no, sku, requested, atp };
    let waiting = leaving;
    const there = allocations.map((one) => ({ at: stockAt(one.node), units: one.quantity }));
    for (const { at, units } of [...there, ...ahead]) {
      const { served, left, unused } = serve(waiting, units);
      waiting = left;
      const taken = this.#put({ ...at, line: no, sku, fulfilment: null }, served, unused);
      this.#settlement.take({ sku, at, units: taken, channel, line: no });
    }
    return null;
  }

  /** Units that leave elsewhere come to a place, and new ones beside them. */
  #put(at: BackingPlace, moving: readonly BackingUnits[], added: number): Readonly<Record<OpenTally, number>> {
    const to = standingOf(at);
    const taken = { held: 0, confirmed: 0 };
    for (const { backing, quantity } of moving) {
      const source = this.#backings[backing.no] ?? backing;
      const { backings, moved } = moveUnits(this.#backings, source, at, quantity);
      this.#backings = backings;
      taken.held += moved.held;
      taken.confirmed += moved.confirmed;
      this.#changes.push({ ...changeOf(backing, quantity), to });
    }
    if (added === 0) return taken;
    const tally = statusOf(this.#before.backings) === 'held' ? 'held' : 'confirmed';
    taken[tally] += added;
    this.#backings = withUnits(this.#backings, at, { [tally]: added });
    const { line, sku } = at;
    this.#changes.push({ line, sku, node: null, quantity: added, fulfilment: null, to });
    return taken;
  }
}

const mayServe = (nodes: readonly NodeKey[] | null, node: NodeKey): boolean => nodes?.includes(node) ?? true;

/** What a node has shipped is with the buyer, whoever tells us last. */
const notShipped = (backing: Backing): number => open(backing) - backing.shipped;

interface Served {
  readonly served: readonly BackingUnits[];
  readonly left: readonly BackingUnits[];
  /** Units that nobody waited for. */
  readonly unused: number;
}

/** Of units that wait, the first ones are served. */
function serve(waiting: readonly BackingUnits[], quantity: number): Served {
  const served: BackingUnits[] = [];
  const left: BackingUnits[] = [];
  let unused = quantity;
  for (const one of waiting) {
    const units = Math.min(unused, one.quantity);
    unused -= units;
    if (units > 0) served.push({ ...one, quantity: units });
    if (units < one.quantity) left.push({ ...one, quantity: one.quantity - units });
  }
  return { served, left, unused };
}
