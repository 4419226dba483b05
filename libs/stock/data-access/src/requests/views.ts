/** Answers as the contracts show them: codes instead of keys, times as RFC 3339. */
import {
  type Backing,
  type SellingRules,
  type SkuSupply,
  type SupplyRow,
  onHand,
  statusOf,
  totalOf,
} from '@onepool/stock-domain';
import type { Reservation as ReservationView, StockRow as StockRowView } from '@onepool/contracts';
import type { FirstAnswer, StoredReservation } from '../repository/stored-reservations.ts';
import type { CodeBook } from '../catalogue/code-book.ts';

export class Views {
  readonly #rules: SellingRules;
  readonly #skus: Pick<CodeBook, 'codeOf'>;

  constructor(rules: SellingRules, skus: Pick<CodeBook, 'codeOf'>) {
    this.#rules = rules;
    this.#skus = skus;
  }

  node(key: number): string {
    const node = this.#rules.nodes.get(key);
    if (!node) throw new Error(`Broken invariant: node key ${key} is not in the catalogue`);
    return node.code;
  }

  channel(key: number): string {
    const channel = this.#rules.channels.get(key);
    if (!channel) throw new Error(`Broken invariant: channel key ${key} is not in the catalogue`);
    return channel.code;
  }

  sku(key: number): string {
    return this.#skus.codeOf(key);
  }

  stockRow(row: SupplyRow): StockRowView {
    const { node, ...units } = row;
    return { node: this.node(node), onHand: onHand(row), ...units };
  }

  stockRows(supply: SkuSupply): StockRowView[] {
    return supply.rows.toSorted((a, b) => a.node - b.node).map((row) => this.stockRow(row));
  }

  reservation({ id, owner, reservation }: StoredReservation): ReservationView {
    const { backings } = reservation;
    return {
      id,
      owner,
      channel: this.channel(reservation.channel),
      status: statusOf(backings),
      version: reservation.version,
      createdAt: isoTime(reservation.createdAt),
      expiresAt: totalOf(backings, 'held') > 0 ? isoTime(reservation.expiresAt) : null,
      lines: reservation.lines.map(({ sku, requested, granted }) => ({
        sku: this.sku(sku),
        requested,
        granted,
        // In the nodes' order, so that a read shows them as the verb before it did.
        backings: backings
          .filter((backing) => backing.sku === sku)
          .toSorted((a, b) => a.node - b.node)
          .map((backing) => this.#backing(backing)),
      })),
    };
  }

  /** A hold's first answer, the same however often it is asked again and whatever has happened since. */
  firstAnswer(id: string, first: FirstAnswer): ReservationView {
    return {
      id,
      owner: first.owner,
      channel: this.channel(first.channelKey),
      status: 'held',
      version: 1,
      createdAt: isoTime(first.createdAt),
      expiresAt: isoTime(first.expiresAt),
      lines: first.lines.map(([sku, requested, granted, skuVersion, backings]) => ({
        sku: this.sku(sku),
        requested,
        granted,
        skuVersion,
        backings: backings.map(([node, held]) => ({ node: this.node(node), kind: 'stock' as const, ...NOTHING, held })),
      })),
    };
  }

  #backing({
    node,
    held,
    confirmed,
    fulfilled,
    released,
    expired,
    cancelled,
  }: Backing): ReservationView['lines'][number]['backings'][number] {
    return { node: this.node(node), kind: 'stock', held, confirmed, fulfilled, released, expired, cancelled };
  }
}

const NOTHING = { held: 0, confirmed: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0 };

let lastTime = { milliseconds: Number.NaN, text: '' };

/** Remembers its last answer: a batch, or an answer with a hundred SKUs, tells the same moment again and again. */
export function isoTime(milliseconds: number): string {
  if (milliseconds !== lastTime.milliseconds) lastTime = { milliseconds, text: new Date(milliseconds).toISOString() };
  return lastTime.text;
}
