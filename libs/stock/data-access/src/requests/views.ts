/** Answers as the contracts show them: codes instead of keys, times as RFC 3339. */
import {
  type Backing,
  type BackingChange,
  type Reservation,
  type UnitSelector,
  type UnitsAhead,
  type SellingRules,
  type SkuSupply,
  type Stop,
  type SupplyRow,
  onHand,
  statusOf,
  totalOf,
} from '@onepool/stock-domain';
import type {
  Reservation as ReservationView,
  ReservationChanged,
  StockRow as StockRowView,
  StopOfSku,
} from '@onepool/contracts';
import type { FirstAnswer, StoredReservation } from '../repository/stored-reservations.ts';
import { kindOf } from '../stock-columns.ts';
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
    const { key: _, kind: __, detail: ___, node, ...units } = row;
    return { node: this.node(node), onHand: onHand(row), ...units };
  }

  stockRows(supply: SkuSupply): StockRowView[] {
    return supply.rows.toSorted((a, b) => a.node - b.node).map((row) => this.stockRow(row));
  }

  stop({ node, channel, drains, until }: Stop): StopOfSku {
    return {
      ...(node === null ? {} : { node: this.node(node) }),
      ...(channel === null ? {} : { channel: this.channel(channel) }),
      mode: drains ? 'drain' : 'stop',
      ...(until === null ? {} : { until: isoTime(until) }),
    };
  }

  reservation({ id, owner, customerReference, reservation }: StoredReservation): ReservationView {
    const { backings, controller, priority } = reservation;
    return {
      id,
      owner,
      ...(controller === null ? {} : { order: controller.order }),
      channel: this.channel(reservation.channel),
      ...(priority === 0 ? {} : { priority }),
      ...(customerReference === null ? {} : { customerReference }),
      status: statusOf(backings),
      version: reservation.version,
      createdAt: isoTime(reservation.createdAt),
      expiresAt: totalOf(backings, 'held') > 0 ? isoTime(reservation.expiresAt) : null,
      lines: reservation.lines.map(({ no, id: line, sku, nodes, requested, granted, added, withdrawn }) => ({
        id: line,
        sku: this.sku(sku),
        ...this.#nodes(nodes),
        requested,
        granted,
        ...(added + withdrawn === 0 ? {} : { wanted: granted + added - withdrawn }),
        backings: backings.filter((backing) => backing.line === no).map((backing) => this.#backing(backing)),
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
      lines: first.lines.map(([line, sku, requested, granted, skuVersion, backings, nodes = null]) => ({
        id: line,
        sku: this.sku(sku),
        ...this.#nodes(nodes),
        requested,
        granted,
        skuVersion,
        backings: backings.map(([node, held, kind = 0]) => ({
          node: this.#nodeOrNone(node),
          kind: node === 0 && kind === 0 ? ('unbacked' as const) : kindOf(kind),
          ...NOTHING,
          held,
        })),
      })),
    };
  }

  /** Units of a backing that moved or ended. */
  change({ lines }: Reservation, change: BackingChange): ReservationChanged['changes'][number] {
    const { line, sku, node, quantity, fulfilment, ahead, to } = change;
    return {
      line: lines[line]?.id ?? '',
      sku: this.sku(sku),
      node: this.#nodeOrNone(node),
      ...(fulfilment === null ? {} : { fulfilment }),
      ...(isAhead(ahead) ? { kind: ahead.kind } : {}),
      quantity,
      ...(to === undefined ? {} : { to: this.#nodeOrNone(to.node) }),
      ...(to?.fulfilment ? { toFulfilment: to.fulfilment } : {}),
      ...(isAhead(to?.ahead) ? { toKind: to.ahead.kind } : {}),
    };
  }

  /** Which units were asked for. */
  selector({ line, sku, node, fulfilment }: UnitSelector): Readonly<Record<string, unknown>> {
    return {
      ...(line === undefined ? {} : { line }),
      ...(sku === undefined ? {} : { sku: this.sku(sku) }),
      ...(node === undefined ? {} : { node: this.#nodeOrNone(node) }),
      ...(fulfilment === undefined ? {} : { fulfilment }),
    };
  }

  #nodeOrNone(node: number | null): string | null {
    return node === null || node === 0 ? null : this.node(node);
  }

  #nodes(nodes: readonly number[] | null): { nodes?: string[] } {
    return nodes === null ? {} : { nodes: nodes.map((node) => this.node(node)) };
  }

  #backing(backing: Backing): ReservationView['lines'][number]['backings'][number] {
    const { node, kind, fulfilment, held, confirmed, fulfilled, released, expired, cancelled, broken } = backing;
    const { accepted, picked, shipped } = backing;
    return {
      node: this.#nodeOrNone(node),
      kind,
      ...(fulfilment === null ? {} : { fulfilment }),
      held,
      confirmed,
      fulfilled,
      released,
      expired,
      cancelled,
      broken,
      ...(accepted === 0 ? {} : { accepted, picked, shipped }),
    };
  }
}

const NOTHING = { held: 0, confirmed: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0, broken: 0 };

const isAhead = (ahead: UnitsAhead | undefined): ahead is { kind: 'incoming' | 'allowance'; detail: number } =>
  ahead?.kind === 'incoming' || ahead?.kind === 'allowance';

let lastTime = { milliseconds: Number.NaN, text: '' };

/** Remembers its last answer: a batch, or an answer with a hundred SKUs, tells the same moment again and again. */
export function isoTime(milliseconds: number): string {
  if (milliseconds !== lastTime.milliseconds) lastTime = { milliseconds, text: new Date(milliseconds).toISOString() };
  return lastTime.text;
}
