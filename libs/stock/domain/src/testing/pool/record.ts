/** A history as the model had it: what was asked, what became of it, and how everything stood then. */
import { NOW } from '../arbitraries.ts';
import type { Command } from './commands.ts';
import type { Step } from './history.ts';
import { type Promised, copyOf } from './piles.ts';
import { PlayedPool } from './played-pool.ts';
import type { ModelRow, Verdict } from './pool.ts';
import { PLACES } from './world.ts';

export interface Told {
  readonly command: Command;
  readonly verdict: Verdict;
  /** Milliseconds since the history began at which it happened; below 0 before that. */
  readonly at: number;
  /** Reservations whose time has come by then. */
  readonly overdue: readonly number[];
  readonly rows: readonly (ModelRow & { readonly sku: number; readonly node: number })[];
  /** In the order of their numbers, from 1. */
  readonly reservations: readonly Promised[];
}

/** Steps that are played on the rules alone as yet. */
const ONLY_THE_RULES: ReadonlySet<string> = new Set([
  'queue',
  'announce',
  'receive',
  'ship',
  'overdue',
  'inspect',
  'countWork',
]);

/**
 * Plays a history on the rules of the domain and on the model beside them, as callers could have it played. Promises are moved only if it
 * `moves` them: the engine begins with the newest by its key, and whether keys ascend with time is up to who hands them out.
 */
export function recordHistory(steps: readonly Step[], moves: boolean): readonly Told[] {
  const told: Told[] = [];
  /** SKUs of which holds have run out, without a command that would have had them looked at. */
  const reaped = new Set<number>();
  const push = (command: Command, verdict: Verdict): void => {
    const reservations = [...pool.model.promises.values()].map(copyOf).sort((a, b) => a.key - b.key);
    told.push({
      command,
      verdict,
      at: pool.model.at - NOW,
      overdue: reservations.filter(({ expiresAt }) => expiresAt <= pool.now).map(({ key }) => key),
      rows: PLACES.map(({ sku, node }) => ({ sku, node, ...pool.model.rowOf(sku, node) })),
      reservations,
    });
  };
  const look = (): void => {
    const skus = [...reaped];
    reaped.clear();
    if (skus.length > 0) push({ kind: 'expire', skus }, 'done');
  };
  const onCommand = (command: Command, verdict: Verdict): void => {
    const looked = skusOf(command, pool);
    if ([...reaped].every((sku) => looked.includes(sku))) reaped.clear();
    look();
    push(command, verdict);
  };
  const onReaped = (skus: ReadonlySet<number>): void => skus.forEach((sku) => reaped.add(sku));
  const pool = new PlayedPool({ closes: false, isCaller: true, moves, onCommand, onReaped });
  for (const { name, play } of steps) {
    if (ONLY_THE_RULES.has(name)) continue;
    play(pool);
    look();
  }
  return told;
}

/** Those that a command has looked at before it is decided. */
function skusOf(command: Command, { model }: PlayedPool): readonly number[] {
  // Rules have no SKU, and feeds, in which movements may be told as well, leave what has run out to others.
  if (command.kind === 'keep' || command.kind === 'halt') return [];
  if (command.kind === 'count' || command.kind === 'movement') return [];
  if ('sku' in command) return [command.sku];
  if ('skus' in command) return command.skus;
  if (command.kind === 'hold') return command.lines.map(({ sku }) => sku);
  const named = command.kind === 'allocate' ? command.parts : [command];
  return named.flatMap(({ reservation }) => model.promised(reservation).lines.map(({ sku }) => sku));
}
