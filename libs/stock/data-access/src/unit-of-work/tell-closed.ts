/** Tells of exceptions that were closed by no batch, in the transaction that closes them. The caller holds the gates of their SKUs. */
import { type OutboxTarget, appendToOutbox } from '@onepool/platform-messaging';
import type pg from 'pg';
import type { RulesSource } from '../catalogue/rules-source.ts';
import { Views } from '../requests/views.ts';
import { eventOf } from './facts.ts';
import { type ClosedException, closedTellings } from './promise-facts.ts';

/** What a statement that closes exceptions `e` answers for it, with `sku_code s` of their SKUs. Times in milliseconds. */
export const CLOSED_COLUMNS = `
  e.exception_key AS key, e.code, e.sku_key AS sku, e.node_key AS node, s.code AS name,
  round(extract(epoch FROM e.opened_at) * 1000)::bigint AS "openedAt", round(extract(epoch FROM e.closed_at) * 1000)::bigint AS now`;

export interface ClosedRecord extends Omit<ClosedException, 'line'> {
  readonly name: string;
  readonly now: number;
}

export interface TellContext extends OutboxTarget {
  readonly rules: RulesSource;
}

/** All of them were closed at once. */
export async function tellClosed(
  client: pg.PoolClient,
  rows: readonly ClosedRecord[],
  { rules, ...outbox }: TellContext,
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const names = new Map(rows.map(({ sku, name }) => [sku, name]));
  const views = new Views(await rules.current(), { codeOf: (sku) => names.get(sku) ?? '' });
  const closed = rows.map((row) => ({ ...row, line: null }));
  const events = [...closedTellings(closed, views, first.now)].map((one) => eventOf(one, first.now));
  await appendToOutbox(client, outbox, events);
}
