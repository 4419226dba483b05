/** Which rule decides which verb on a reservation, with what it has to know, and what it is told as. */
import {
  type Backing,
  type Decision,
  type Doing,
  type NodeKey,
  type SelectedUnits,
  type ToldBook,
  type VerbEffect,
  accept,
  type SkuKey,
  countedAsShipped,
  decideAcknowledge,
  decideAmend,
  decideAttach,
  decideConfirm,
  decideExtend,
  decideFulfil,
  decideGiveUp,
  decideLeave,
  decideReject,
  decideUnfulfil,
  type CountedStates,
  isLate,
  rowKey,
  seenBy,
  undoneOf,
} from '@onepool/stock-domain';
import type { ReservationFact } from '@onepool/contracts';
import type { BatchState } from '../repository/load-batch.ts';
import type { StoredReservation } from '../repository/stored-reservations.ts';
import type { Verb } from '../requests/command.ts';

export const FACT_OF_VERB = {
  extend: null,
  attach: 'attached',
  amend: 'amended',
  confirm: 'confirmed',
  acknowledge: 'acknowledged',
  reject: 'rejected',
  'give-up': 'given_up',
  unfulfil: 'unfulfilled',
  fulfil: 'fulfilled',
  release: 'released',
  cancel: 'cancelled',
} as const satisfies Record<Verb['name'], ReservationFact | null>;

/** When a verb says that it happened (ms); null is when it is recorded. */
export const occurredAtOf = (verb: Verb): number | null => ('occurredAt' in verb ? verb.occurredAt : null);

/** When it happened (ms), and who tells. */
interface Occurrence {
  readonly occurredAt: number;
  readonly teller: string;
}

/** With it, what is told of fulfilments from now on, where the verb tells of them. */
type DecidedVerb = VerbEffect & { readonly told?: ToldBook };

export function decideVerb(
  verb: Verb,
  { reservation }: StoredReservation,
  { supplies, rules, now, watermarks, told }: BatchState,
  { occurredAt, teller }: Occurrence,
): Decision<DecidedVerb> {
  const book = told.get(reservation.key) ?? NOTHING_TOLD_YET;
  const isLateAt = (sku: SkuKey, node: NodeKey): boolean => isLate(watermarks.get(rowKey(sku, node)), occurredAt);
  const countedAt = (sku: SkuKey, node: NodeKey): CountedStates => seenBy(watermarks, sku, node, occurredAt).states;
  switch (verb.name) {
    case 'attach':
      return decideAttach(reservation, verb);
    case 'amend':
      return decideAmend(reservation, verb, supplies, { rules, now, override: verb.override });
    case 'acknowledge':
      return decideAcknowledge(reservation, verb);
    case 'reject':
      return decideReject(reservation, { ...verb, isLate: isLateAt, counted: countedAt }, supplies, {
        rules,
        now,
        override: verb.override,
      });
    case 'give-up':
      return decideGiveUp(reservation, verb.parts, supplies);
    case 'unfulfil': {
      const undone = decideUnfulfil(reservation, verb.parts, supplies, ({ sku, node }, quantity) =>
        isLateAt(sku, node) ? quantity : 0,
      );
      if (!undone.ok) return undone;
      return accept({ ...undone.value, told: undoneOf(reservation, undone.value.reservation, book) });
    }
    case 'extend':
      return decideExtend(reservation, now + verb.expiresInSeconds * 1_000);
    case 'confirm':
      return decideConfirm(reservation, supplies, rules, { now, reacquire: verb.reacquire });
    case 'fulfil': {
      const counted = (backing: Backing, quantity: number): number =>
        countedAsShipped(backing, quantity, watermarks.get(rowKey(backing.sku, backing.node)), occurredAt);
      return decideFulfil(reservation, supplies, verb.parts, { teller, book, counted });
    }
    case 'release':
    case 'cancel':
      return decideLeave(verb.name, reservation, supplies, verb.parts);
  }
}

const NOTHING_TOLD_YET: ToldBook = new Map();

/** What leaves or moves between nodes is node work; all else of a promise is selling. */
export function doingOf(verb: Verb, isRepeated: boolean): Doing {
  switch (verb.name) {
    case 'fulfil':
    case 'unfulfil':
      return { kind: 'node_work', nodes: nodesOf(verb.parts), isRepeated };
    case 'acknowledge':
      return { kind: 'fulfilment_work', fulfilment: verb.selected.fulfilment, nodes: [] };
    case 'reject': {
      const nodes = verb.moveTo ? [verb.moveTo.node] : [];
      return { kind: 'fulfilment_work', fulfilment: verb.selected.fulfilment, nodes };
    }
    case 'attach':
    case 'amend':
    case 'give-up':
    case 'extend':
    case 'confirm':
    case 'release':
    case 'cancel':
      return { kind: 'selling' };
  }
}

/** Null where some part does not say at which node it is. */
function nodesOf(parts: readonly SelectedUnits[] | null): readonly NodeKey[] | null {
  const nodes = (parts ?? []).map(({ node }) => node ?? null);
  return parts === null || nodes.includes(null) ? null : nodes.filter((node) => node !== null);
}
