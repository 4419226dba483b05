/**
 * What is to happen, as text that fits into an environment variable: `name=action`, several separated by blanks.
 *
 *   stock.batch.after_commit=kill@3     SIGKILL to itself at the third passing; the first unless told
 *   messaging.inbox.before_commit=delay:200   each passing takes 200 ms longer; with @2, the second
 *   stock.optimistic.before_commit=hold@2     the second passing waits until it is released
 *   catalog.skus.before_commit=throw@1        the first passing throws
 *   stock.answers_unwritten=planted           the bug is on
 */
import { failpointNames, plantedBugs } from './known-failpoints.ts';

export type Action =
  { readonly kind: 'kill' | 'hold' | 'throw' } | { readonly kind: 'delay'; readonly delayMs: number };

export type Order = Action & {
  /** At which passing, from 1; null is at each. */
  readonly hit: number | null;
};

export interface Plan {
  readonly orders: ReadonlyMap<string, Order>;
  readonly planted: ReadonlySet<string>;
}

/** The text is not a plan, or names what shipped code does not. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}

/** @throws PlanError */
export function parsePlan(text: string): Plan {
  const orders = new Map<string, Order>();
  const planted = new Set<string>();
  for (const part of text.split(/\s+/).filter(Boolean)) {
    const [, name = '', action = ''] = /^([\w.]+)=(\S+)$/.exec(part) ?? [];
    if (action === 'planted' && isIn(plantedBugs, name)) planted.add(name);
    else if (isIn(failpointNames, name)) orders.set(name, parseOrder(action, part));
    else throw new PlanError(`${part}: neither a failpoint nor a planted bug of shipped code.`);
  }
  return { orders, planted };
}

function parseOrder(text: string, part: string): Order {
  const [, kind, delayMs, hit] = /^(kill|hold|throw|delay)(?::(\d+))?(?:@([1-9]\d*))?$/.exec(text) ?? [];
  const at = hit === undefined ? null : Number(hit);
  if (kind === 'delay' && delayMs !== undefined) return { kind, delayMs: Number(delayMs), hit: at };
  if ((kind === 'kill' || kind === 'hold' || kind === 'throw') && delayMs === undefined) return { kind, hit: at ?? 1 };
  throw new PlanError(`${part}: kill, hold or throw, or delay:MS, each perhaps with @N, is needed.`);
}

const isIn = (names: readonly string[], name: string): boolean => names.includes(name);
