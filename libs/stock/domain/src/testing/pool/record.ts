/** A history as the model had it: what was asked, what became of it, and how everything stood then. */
import { NOW } from '../arbitraries.ts';
import { inTransit, isLate } from './coming.ts';
import type { Command } from './commands.ts';
import type { Step } from './history.ts';
import { leaving } from './moving.ts';
import { type Promised, copyOf, sum } from './piles.ts';
import { type Inspected, PlayedPool } from './played-pool.ts';
import type { Coming, ModelRow, Pool, Verdict } from './pool.ts';
import { PLACES, SKUS } from './world.ts';

export interface Told {
  readonly command: Command;
  readonly verdict: Verdict;
  /** Milliseconds since the history began at which it happened; below 0 before that. */
  readonly at: number;
  /** When it was told. */
  readonly now: number;
  /** Reservations whose time has come by then. */
  readonly overdue: readonly number[];
  /** Lines that were late when it was told. */
  readonly late: readonly number[];
  readonly rows: readonly (ModelRow & { readonly sku: number; readonly node: number })[];
  readonly lines: readonly (Coming & { readonly row: ModelRow; readonly isOverdue: boolean })[];
  /** What is promised of which nothing is known to come; node 0 is any. */
  readonly allowances: readonly (ModelRow & { readonly sku: number; readonly node: number })[];
  /** In the order of their numbers, from 1. */
  readonly reservations: readonly Promised[];
  /** Those that receipts have opened, in their order. */
  readonly inspections: readonly Inspected[];
  /** What a person must look at, once the engine has looked after the SKU, or has drained it. */
  readonly concerns: readonly Concern[];
}

export interface Concern {
  readonly code: 'promise.short' | 'promise.stranded' | 'inbound.overdue' | 'inbound.short';
  readonly sku: number;
  readonly node: number;
  /** Of the line, if it is about one. */
  readonly line: number | null;
  readonly quantity: number;
}

/**
 * Plays a history on the rules of the domain and on the model beside them, as callers could have it played. Somebody waits, and promises
 * are moved, only if it `moves`: the engine begins with the newest by its key, and whether keys ascend with time is up to who hands them
 * out.
 */
export function recordHistory(steps: readonly Step[], moves: boolean): readonly Told[] {
  const told: Told[] = [];
  /** SKUs of which holds have run out, once each, without a command that would have had them looked at. */
  const reaped: ReadonlySet<number>[] = [];
  const push = (command: Command, verdict: Verdict): void => {
    const { model, inspections } = pool;
    const late = (told.at(-1)?.lines ?? []).filter((line) => isOverdue(model, line));
    const reservations = [...model.promises.values()].map(copyOf).sort((a, b) => a.key - b.key);
    told.push({
      command,
      verdict,
      at: model.at - NOW,
      now: model.now - NOW,
      overdue: reservations.filter(({ expiresAt }) => expiresAt <= pool.now).map(({ key }) => key),
      late: late.map(({ detail }) => detail),
      rows: PLACES.map(({ sku, node }) => ({ sku, node, ...model.rowOf(sku, node) })),
      lines: [...model.lines.values()].map((line) => ({
        ...line,
        row: rowOf(model, line),
        isOverdue: isOverdue(model, line),
      })),
      allowances: SKUS.flatMap((sku) =>
        model.market.allowances(sku).map(({ node }) => ({ sku, node, ...model.rowOf(sku, node, 'allowance') })),
      ),
      reservations,
      inspections: [...inspections],
      concerns: concernsOf(model),
    });
  };
  const look = (): void => {
    for (const skus of reaped.splice(0)) push({ kind: 'expire', skus: [...skus] }, 'done');
  };
  const onCommand = (command: Command, verdict: Verdict): void => {
    const looked = skusOf(command, pool);
    // It looks at them itself, where it is about all of them.
    if ([...(reaped.at(-1) ?? [])].every((sku) => looked.includes(sku))) reaped.pop();
    look();
    push(command, verdict);
  };
  const onReaped = (skus: ReadonlySet<number>): void => void reaped.push(skus);
  const pool = new PlayedPool({ closes: false, isCaller: true, moves, onCommand, onReaped });
  for (const { play } of steps) {
    play(pool);
    look();
  }
  return told;
}

const isOverdue = (pool: Pool, line: Coming): boolean => !line.isClosed && isLate(pool, line);

const rowOf = (pool: Pool, { sku, node, detail }: Coming): ModelRow => pool.rowOf(sku, node, detail);

function concernsOf(pool: Pool): readonly Concern[] {
  const short = PLACES.map(({ sku, node }) => ({ sku, node, line: null, quantity: pool.rowOf(sku, node).shortfall }));
  const stranded = PLACES.map(({ sku, node }) => ({ sku, node, line: null, quantity: strandedAt(pool, sku, node) }));
  const lines = [...pool.lines.values()];
  const lost = lines.map((line) => ({ ...placeOf(line), quantity: rowOf(pool, line).shortfall }));
  const late = lines.filter((line) => isOverdue(pool, line));
  const all = [
    ...[...short, ...lost].map((one) => ({ code: 'promise.short', ...one }) as const),
    ...stranded.map((one) => ({ code: 'promise.stranded', ...one }) as const),
    ...lost.map((one) => ({ code: 'inbound.short', ...one }) as const),
    ...late.map((line) => ({ code: 'inbound.overdue', ...placeOf(line), quantity: inTransit(line) }) as const),
  ];
  return all.filter(({ quantity }) => quantity > 0);
}

function strandedAt(pool: Pool, sku: number, node: number): number {
  const units = [...pool.promises.values()].flatMap((mine) =>
    mine.piles
      .filter((pile) => pile.sku === sku && pile.node === node)
      .map((pile) => leaving(pool, mine, pile, 'drained')),
  );
  return sum(units);
}

const placeOf = ({ sku, node, detail }: Coming) => ({ sku, node, line: detail });

/** Those that a command has looked at before it is decided. */
function skusOf(command: Command, { model }: PlayedPool): readonly number[] {
  // Rules have no SKU, and feeds, in which movements may be told as well, leave what has run out to others.
  if (command.kind === 'keep' || command.kind === 'halt') return [];
  if (command.kind === 'count' || command.kind === 'movement') return [];
  if (command.kind === 'ship') return [command.sku, ...(command.rider ? skusOfAll(model, [command.rider]) : [])];
  if ('sku' in command) return [command.sku];
  if ('skus' in command) return command.skus;
  if (command.kind === 'hold') return command.lines.map(({ sku }) => sku);
  const wanted = command.kind === 'amend' ? command.lines.map(({ sku }) => sku) : [];
  return [...wanted, ...skusOfAll(model, command.kind === 'allocate' ? command.parts : [command])];
}

const skusOfAll = (model: Pool, named: readonly { readonly reservation: number }[]): readonly number[] =>
  named.flatMap(({ reservation }) => model.promised(reservation).lines.map(({ sku }) => sku));
