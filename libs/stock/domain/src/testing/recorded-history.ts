/** A history as the simple model had it: each command with all its choices made, what became of it, and how everything stood then. */
import type { RejectEffect } from '../decide-reject.ts';
import type { Stage } from '../reservation.ts';
import { STAGES } from '../reservation.ts';
import { NODES, PoolDriver, SKUS } from './pool-driver.ts';
import type { Step } from './pool-history.ts';
import {
  type Market,
  type ModelRow,
  type Move,
  type Placed,
  PoolModel,
  type Refusal,
  type Selling,
  type Terms,
  type Verdict,
  type Wanted,
  type Wish,
} from './pool-model.ts';
import { type Promised, type Which, copyOf } from './pool-piles.ts';

/** What is asked. Reservations have numbers; `isCounted` and `isLate`: the newest count of the rows has seen it. */
export type Command =
  | {
      readonly kind: 'hold';
      readonly reservation: number;
      readonly channel: number;
      readonly lines: readonly (Wish & { readonly id: string })[];
      readonly allowPartial: boolean;
      readonly isSold: boolean;
    }
  | { readonly kind: 'confirm'; readonly reservation: number; readonly reacquire: boolean }
  | { readonly kind: 'extend'; readonly reservation: number }
  | {
      readonly kind: 'leave';
      readonly verb: 'release' | 'cancel' | 'fulfil';
      readonly reservation: number;
      readonly parts: readonly Which[] | null;
      readonly isCounted: boolean;
    }
  | {
      readonly kind: 'allocate';
      readonly parts: readonly {
        readonly reservation: number;
        readonly version: number;
        readonly moves: readonly Move[];
      }[];
      readonly isByHand: boolean;
    }
  | {
      readonly kind: 'amend';
      readonly reservation: number;
      readonly version: number;
      readonly lines: readonly Wanted[];
      /** Null: it stays with its own. */
      readonly channel: number | null;
      readonly isByHand: boolean;
    }
  | { readonly kind: 'acknowledge'; readonly reservation: number; readonly units: Which; readonly stage: Stage }
  | {
      readonly kind: 'reject';
      readonly reservation: number;
      readonly units: Which;
      readonly effect: RejectEffect;
      readonly moveTo: Move['to'] | null;
      readonly isLate: boolean;
      readonly isByHand: boolean;
    }
  | { readonly kind: 'give-up'; readonly reservation: number; readonly parts: readonly Which[] }
  | {
      readonly kind: 'unfulfil';
      readonly reservation: number;
      readonly parts: readonly Which[];
      readonly isCounted: boolean;
    }
  | {
      readonly kind: 'attach';
      readonly reservation: number;
      readonly expected: string | null;
      readonly order: string | null;
    }
  | { readonly kind: 'heal'; readonly sku: number }
  /** Somebody looks at what has run out, and asks nothing. */
  | { readonly kind: 'expire'; readonly skus: readonly number[] }
  /** Units came (> 0) or went (< 0). */
  | { readonly kind: 'happen'; readonly sku: number; readonly node: number; readonly units: number }
  | { readonly kind: 'damage' | 'set aside'; readonly sku: number; readonly node: number; readonly units: number }
  | {
      readonly kind: 'transfer';
      readonly sku: number;
      readonly node: number;
      readonly toNode: number;
      readonly units: number;
    };

export interface Told {
  readonly command: Command;
  readonly verdict: Verdict;
  /** Of a hold: which units it got. */
  readonly placed: readonly Placed[] | null;
  /** Reservations whose time has come by then. */
  readonly overdue: readonly number[];
  readonly rows: readonly (ModelRow & { readonly sku: number; readonly node: number })[];
  /** In the order of their numbers, from 1. */
  readonly reservations: readonly Promised[];
}

/**
 * Plays a history on the rules of the domain and on the model beside them, as callers could have it played. Promises are moved off short
 * rows only if it `heals`: the engine begins with the newest one by its key, and whether keys ascend with time is up to who hands them out.
 */
export function recordHistory(steps: readonly Step[], heals: boolean): readonly Told[] {
  const told: Told[] = [];
  let recorded: RecordedModel | undefined;
  const model = (market: Market): PoolModel => (recorded = new RecordedModel(market, (one) => told.push(one)));
  const pool = new PoolDriver({ model, closes: false, isCaller: true, heals });
  for (const { play } of steps) {
    play(pool);
    recorded?.endStep();
  }
  return told;
}

class RecordedModel extends PoolModel {
  readonly #tell: (told: Told) => void;
  readonly #known = new Set<number>();
  /** What the model does to do something else is not told. */
  #depth = 0;
  #now = 0;
  /** SKUs of which holds have run out, without a command that would have had them looked at. */
  readonly #reaped = new Set<number>();

  constructor(market: Market, tell: (told: Told) => void) {
    super(market);
    this.#tell = tell;
  }

  override hold(
    promised: Omit<Promised, 'lines' | 'piles'>,
    wishes: readonly (Wish & { readonly id: string })[],
    selling: Selling,
  ): readonly Placed[] | null {
    const { key: reservation, channel } = promised;
    const { partial: allowPartial, isSold } = selling;
    const placed = super.hold(promised, wishes, selling);
    if (placed) this.#known.add(reservation);
    const command = { kind: 'hold', reservation, channel, lines: wishes, allowPartial, isSold } as const;
    this.#record(command, placed ? 'done' : 'stock.insufficient', placed);
    return placed;
  }

  override expire(skus: ReadonlySet<number>, now: number): ReadonlySet<number> {
    this.#now = now;
    const expired = super.expire(skus, now);
    if (expired.size > 0) for (const sku of skus) this.#reaped.add(sku);
    return expired;
  }

  override extend(promised: Promised, expiresAt: number): Verdict {
    const command = { kind: 'extend', reservation: promised.key } as const;
    return this.#told(command, () => super.extend(promised, expiresAt));
  }

  override confirm(promised: Promised, reacquire: boolean, now: number): Verdict {
    const command = { kind: 'confirm', reservation: promised.key, reacquire } as const;
    return this.#told(command, () => super.confirm(promised, reacquire, now));
  }

  override leave(
    promised: Promised,
    verb: 'release' | 'cancel' | 'fulfil',
    parts: readonly Which[] | null,
    isCounted: boolean,
  ): Verdict {
    const command = { kind: 'leave', verb, reservation: promised.key, parts, isCounted } as const;
    return this.#told(command, () => super.leave(promised, verb, parts, isCounted));
  }

  override allocate(
    parts: readonly { readonly promised: Promised; readonly isStale: boolean; readonly moves: readonly Move[] }[],
    terms: Terms,
  ): Verdict {
    const asked = parts.map(({ promised: { key, version }, isStale, moves }) => ({
      reservation: key,
      version: isStale ? version - 1 : version,
      moves,
    }));
    const command = { kind: 'allocate', parts: asked, isByHand: terms.isByHand } as const;
    return this.#told(command, () => super.allocate(parts, terms));
  }

  override amend(promised: Promised, lines: readonly Wanted[], channel: number, terms: Terms): Verdict {
    const { key: reservation, version } = promised;
    const other = channel === promised.channel ? null : channel;
    const command = { kind: 'amend', reservation, version, lines, channel: other, isByHand: terms.isByHand } as const;
    return this.#told(command, () => super.amend(promised, lines, channel, terms));
  }

  override acknowledge(promised: Promised, units: Which, stage: number): Verdict {
    const name = STAGES[stage - 1] ?? 'accepted';
    const command = { kind: 'acknowledge', reservation: promised.key, units, stage: name } as const;
    return this.#told(command, () => super.acknowledge(promised, units, stage));
  }

  override reject(promised: Promised, units: Which, refusal: Refusal, terms: Terms): Verdict {
    const { isByHand } = terms;
    const command = { kind: 'reject', reservation: promised.key, units, ...refusal, isByHand } as const;
    return this.#told(command, () => super.reject(promised, units, refusal, terms));
  }

  override giveUp(promised: Promised, parts: readonly Which[]): Verdict {
    const command = { kind: 'give-up', reservation: promised.key, parts } as const;
    return this.#told(command, () => super.giveUp(promised, parts));
  }

  override unfulfil(promised: Promised, parts: readonly Which[], isCounted: boolean): Verdict {
    const command = { kind: 'unfulfil', reservation: promised.key, parts, isCounted } as const;
    return this.#told(command, () => super.unfulfil(promised, parts, isCounted));
  }

  override attach(promised: Promised, expected: string | null, order: string | null): Verdict {
    const command = { kind: 'attach', reservation: promised.key, expected, order } as const;
    return this.#told(command, () => super.attach(promised, expected, order));
  }

  /** Asked when all has been healed that can be. */
  override healable(sku: number, now: number): number {
    const left = super.healable(sku, now);
    this.#record({ kind: 'heal', sku }, 'done');
    return left;
  }

  override happen(sku: number, node: number, units: number): void {
    this.#told({ kind: 'happen', sku, node, units }, () => (super.happen(sku, node, units), 'done'));
  }

  override travel(sku: number, node: number, toNode: number, units: number): void {
    const command = { kind: 'transfer', sku, node, toNode, units } as const;
    this.#told(command, () => (super.travel(sku, node, toNode, units), 'done'));
  }

  override damage(sku: number, node: number, units: number): Verdict {
    return this.#told({ kind: 'damage', sku, node, units }, () => super.damage(sku, node, units));
  }

  override setAside(sku: number, node: number, units: number): Verdict {
    return this.#told({ kind: 'set aside', sku, node, units }, () => super.setAside(sku, node, units));
  }

  endStep(): void {
    const skus = [...this.#reaped];
    this.#reaped.clear();
    if (skus.length > 0) this.#push({ kind: 'expire', skus }, 'done', null);
  }

  #told(command: Command, act: () => Verdict): Verdict {
    this.#depth++;
    const verdict = act();
    this.#depth--;
    if (this.#depth === 0) this.#record(command, verdict);
    return verdict;
  }

  #record(command: Command, verdict: Verdict, placed: readonly Placed[] | null = null): void {
    for (const sku of this.#skusOf(command)) this.#reaped.delete(sku);
    this.endStep();
    this.#push(command, verdict, placed);
  }

  #push(command: Command, verdict: Verdict, placed: readonly Placed[] | null): void {
    const reservations = [...this.#known].map((key) => copyOf(this.promised(key)));
    this.#tell({
      command,
      verdict,
      placed,
      overdue: reservations.filter(({ expiresAt }) => expiresAt <= this.#now).map(({ key }) => key),
      rows: SKUS.flatMap((sku) => NODES.map((node) => ({ sku, node, ...this.rowOf(sku, node) }))),
      reservations,
    });
  }

  /** Those that a command has looked at before it is decided. */
  #skusOf(command: Command): readonly number[] {
    if ('sku' in command) return [command.sku];
    if ('skus' in command) return command.skus;
    if (command.kind === 'hold') return command.lines.map(({ sku }) => sku);
    const named = command.kind === 'allocate' ? command.parts : [command];
    return named.flatMap(({ reservation }) => this.promised(reservation).lines.map(({ sku }) => sku));
  }
}
