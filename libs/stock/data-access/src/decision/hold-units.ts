/** A hold that is granted: the reservation that it makes, and what it takes. */
import {
  type BackingPlace,
  type Decision,
  type GrantedUnits,
  accept,
  decideHold,
  emptyBacking,
  onNothing,
  onStock,
  rowAt,
  rowOf,
  stockAt,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { AnsweredLine, FirstAnswer } from '../repository/stored-reservations.ts';
import { waitRankOf } from '../repository/wait-rank.ts';
import type { HoldCommand } from '../requests/command.ts';
import { kindCode } from '../stock-columns.ts';
import { toldBy } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';
import { nextOf } from './new-rows.ts';

/** `keys`: of new reservations. Answers what the hold is answered with, now and whenever it is asked again. */
export function holdUnits(
  command: HoldCommand,
  { rules, now, supplies }: BatchState,
  book: ChangingBook,
  keys: Iterator<number>,
): Decision<FirstAnswer> {
  const channel = rules.channels.get(command.channel);
  if (!channel) throw new Error(`Broken invariant: channel key ${command.channel} is not in the catalogue`);
  const decision = decideHold(command.demand, supplies, rules, { channel, now });
  if (!decision.ok) return decision;
  const { granted, units, effect } = decision.value;
  book.change(effect, command.trace);
  const expiresAt = now + command.expiresInSeconds * 1_000;
  const key = nextOf(keys);
  const lines = command.demand.lines.map(({ sku, quantity, nodes }, line): AnsweredLine => {
    const held = units.filter((one) => one.line === line).map(heldTuple);
    const id = command.lineIds[line] ?? '';
    const told = [id, sku, quantity, granted[line] ?? 0, book.versionOf(sku), held] as const;
    return nodes === null ? told : [...told, nodes];
  });
  const { actor, owner, id } = command;
  const { bodyHash, priority, customerReference, person } = command;
  const { destination } = command.demand;
  const kept = { priority, customerReference, destination, isTombstone: false };
  const by = { owner, id, actor, person, bodyHash, channel: command.channel };
  book.writes.newReservations.push({ key, ...by, ...kept, lines, expiresAt });
  for (const [no, one] of units.entries()) take(command, one, { reservationKey: key, no, expiresAt }, { book, now });
  return accept({ owner, channelKey: command.channel, createdAt: now, expiresAt, lines });
}

/** How the first answer keeps units that are held. */
const heldTuple = ({ node, units, ahead }: GrantedUnits) =>
  ahead ? ([node ?? 0, units, kindCode(ahead.kind)] as const) : ([node ?? 0, units] as const);

interface NewBacking {
  readonly reservationKey: number;
  readonly no: number;
  readonly expiresAt: number;
}

interface Taking {
  readonly book: ChangingBook;
  readonly now: number;
}

/** Writes one of the backings of a hold: nearly all stand on a row, and no fence pays for them. */
function take(command: HoldCommand, taken: GrantedUnits, of: NewBacking, { book, now }: Taking): void {
  const { sourceKey: source, id } = command;
  const { line, sku, node, units, ahead, fenced } = taken;
  if (node === null) {
    const backing = { ...emptyBacking(of.no, onNothing(line, sku)), held: units };
    return book.writes.changeBacking({ ...of, supplyKey: null, backing, isNew: true });
  }
  if (ahead) return wait(command, { line, sku, node, fulfilment: null, ...ahead }, units, of, { book, now });
  const supplyKey = rowAt(book.supply(sku), node).key;
  const version = book.versionOf(sku);
  if (!fenced) return book.writes.hold({ ...of, supplyKey, line, sku, node, source, id, units, version });
  const charge = { fence: fenced.fence, fenced: fenced.units };
  const backing = { ...emptyBacking(of.no, onStock(line, sku, node)), held: units, ...charge };
  book.writes.changeBacking({ ...of, supplyKey, backing, isNew: true });
  const posting = { sku, at: stockAt(node), from: 'available', to: 'reserved', quantity: units } as const;
  book.writes.post(posting, supplyKey, version, { ...toldBy(command), reason: 'hold', occurredAt: now });
}

/** Writes one of the backings of a hold that stands on what has not come yet. */
function wait(command: HoldCommand, at: BackingPlace, units: number, of: NewBacking, { book, now }: Taking): void {
  const { sku, kind, node, detail } = at;
  if (kind !== 'incoming' && kind !== 'allowance') throw new Error(`Broken invariant: nobody waits for ${kind}`);
  const row = { kind, node, detail };
  const { key: supplyKey } = rowOf(book.supply(sku), row);
  const backing = { ...emptyBacking(of.no, at), held: units };
  const waitRank = waitRankOf({ priority: command.priority, orderedAt: null, createdAt: now });
  book.writes.changeBacking({ ...of, supplyKey, backing, waitRank, isNew: true });
  const from = kind === 'incoming' ? 'available' : 'expected';
  const posting = { sku, at: row, from, to: 'reserved', quantity: units } as const;
  const version = book.versionOf(sku);
  book.writes.post(posting, supplyKey, version, { ...toldBy(command), reason: 'hold', occurredAt: now });
  book.othersWait.add(sku);
}
