/** What a batch tells: a fact for each SKU and reservation that it changed, and what became of promises that cannot be kept as they are. */
import { SKU_CHANGED, STOCK_SCOPE, type SkuChanged, factSource, reservationSubject } from '@onepool/contracts';
import { type FactEvent, factId, factKey } from '@onepool/platform-messaging';
import { type Views, isoTime } from '../requests/views.ts';
import { causesOf } from './causes.ts';
import { type Telling, brokenTellings, closedTellings, promiseTellings } from './promise-facts.ts';
import type { Writes } from '../decision/batch-writes.ts';

export const FACT_SOURCE = factSource(STOCK_SCOPE);

export interface FactContext {
  /** Milliseconds, of the decision. */
  readonly now: number;
  readonly views: Views;
  /** Versions as they were when the gates were locked. */
  readonly versionsBefore: ReadonlyMap<number, number>;
}

/** `now` in milliseconds. */
export const eventOf = ({ id, key, subject, data, trace }: Telling, now: number): FactEvent => ({
  id,
  key,
  subject,
  type: subject,
  source: FACT_SOURCE,
  time: isoTime(now),
  data,
  ...(trace === null ? {} : { trace }),
});

export function factsOf(writes: Writes, context: FactContext): FactEvent[] {
  const { now, views, versionsBefore } = context;
  const recordedAt = isoTime(now);
  const fact = (id: string, key: string, subject: string, data: unknown, trace: string | null): FactEvent =>
    eventOf({ id, key, subject, data, trace }, now);
  const causes = causesOf(writes, views);
  const changed = writes.changedSkus.map((one) => {
    const { sku, rows, version, trace, stops } = one;
    const code = views.sku(sku);
    const data: SkuChanged = {
      sku: code,
      fromVersion: versionsBefore.get(sku) ?? 0,
      toVersion: version,
      recordedAt,
      rows: rows.filter(({ kind }) => kind === 'stock').map((row) => views.stockRow(row)),
      causes: [...causes(one)],
      ...(stops === undefined ? {} : { stops: stops.map((stop) => views.stop(stop)) }),
    };
    const key = factKey('sku', code);
    return fact(factId(key, version), key, SKU_CHANGED, data, trace);
  });
  const reservations = writes.reservationFacts.map(({ data, part, trace }) => {
    const key = factKey('reservation', data.owner, data.reservation);
    return fact(factId(key, data.version, part), key, reservationSubject(data.fact), data, trace);
  });
  const tellings = [
    ...brokenTellings(writes.reservationFacts, now),
    ...promiseTellings(writes.promiseNews, views, now),
    ...closedTellings(writes.closedExceptions, views, now),
  ];
  return [...changed, ...reservations, ...tellings.map((one) => eventOf(one, now))];
}
