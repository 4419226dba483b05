/** What a batch tells: a fact for each SKU and reservation that it changed, and for promises that it found broken or stranded. */
import {
  PROMISE_BROKEN,
  PROMISE_STRANDED,
  SKU_CHANGED,
  STOCK_SCOPE,
  type PromiseBroken,
  type PromiseStranded,
  type SkuChanged,
  factSource,
  reservationSubject,
} from '@onepool/contracts';
import { type FactEvent, factId, factKey } from '@onepool/platform-messaging';
import { type Views, isoTime } from '../requests/views.ts';
import { causesOf } from './causes.ts';
import type { Writes } from '../decision/batch-writes.ts';

export const FACT_SOURCE = factSource(STOCK_SCOPE);

export interface FactContext {
  /** Milliseconds, of the decision. */
  readonly now: number;
  readonly views: Views;
  /** Versions as they were when the gates were locked. */
  readonly versionsBefore: ReadonlyMap<number, number>;
}

export function factsOf(writes: Writes, context: FactContext): FactEvent[] {
  const { now, views, versionsBefore } = context;
  const recordedAt = isoTime(now);
  const fact = (id: string, key: string, subject: string, data: unknown, trace: string | null): FactEvent => ({
    id,
    key,
    subject,
    type: subject,
    source: FACT_SOURCE,
    time: recordedAt,
    data,
    ...(trace === null ? {} : { trace }),
  });
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
  const broken = writes.newlyBroken.map(({ sku, node, quantity }) => {
    const data: PromiseBroken = { sku: views.sku(sku), node: views.node(node), quantity, recordedAt };
    const version = writes.changedSkus.find((entry) => entry.sku === sku)?.version ?? versionsBefore.get(sku) ?? 0;
    const id = factId(factKey('broken', data.sku, data.node), version);
    return fact(id, factKey('sku', data.sku), PROMISE_BROKEN, data, null);
  });
  // Rules change without a version of the SKU, so that its version does not tell such facts apart.
  const stranded = writes.newlyStranded.map(({ sku, node, quantity }) => {
    const data: PromiseStranded = { sku: views.sku(sku), node: views.node(node), quantity, recordedAt };
    const id = factId(factKey('stranded', data.sku, data.node), now);
    return fact(id, factKey('sku', data.sku), PROMISE_STRANDED, data, null);
  });
  return [...changed, ...reservations, ...broken, ...stranded];
}
