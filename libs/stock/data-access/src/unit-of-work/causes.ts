/** Why SKUs changed, as facts tell it: what the ledger says of them, summed by node, source and reason. */
import type { Cause } from '@onepool/contracts';
import { type Account, type SkuKey, isForSale } from '@onepool/stock-domain';
import type { ChangedSku, LedgerRow, Writes } from '../decision/batch-writes.ts';
import { type Views, isoTime } from '../requests/views.ts';

const PROMISE: Cause = { kind: 'promise' };
const STOP: Cause = { kind: 'stop' };
const ONLY_PROMISES: readonly Cause[] = [PROMISE];

function kindOf({ at, from, to }: LedgerRow): Cause['kind'] {
  if (from === 'external' || to === 'external') return 'stock';
  if (at.kind === 'incoming' && (from === 'expected' || to === 'expected')) return 'incoming';
  return isOfPromises(from) && isOfPromises(to) ? 'promise' : 'state';
}

const isOfPromises = (account: Exclude<Account, 'external'>): boolean => account === 'expected' || isForSale(account);

interface Sum {
  readonly row: LedgerRow;
  readonly kind: Cause['kind'];
  quantity: number;
  from: number;
  to: number;
}

/** Why a SKU has changed. */
export function causesOf(writes: Writes, views: Views): (changed: ChangedSku) => readonly Cause[] {
  const ofUnits = causesOfUnits(writes, views);
  return ({ sku, rows, stops }) => {
    if (stops === undefined) return ofUnits(sku);
    return rows.length === 0 ? [STOP] : [...ofUnits(sku), STOP];
  };
}

/** By SKU; those of which units were only promised are not in it. */
function causesOfUnits({ ledger }: Writes, views: Views): (sku: SkuKey) => readonly Cause[] {
  if (ledger.length === 0) return () => ONLY_PROMISES;
  const sums = new Map<SkuKey, Map<string, Sum>>();
  const promised = new Set<SkuKey>();
  for (const row of ledger) {
    const kind = kindOf(row);
    if (kind === 'promise') promised.add(row.sku);
    else add(sums, row, kind);
  }
  return (sku) => {
    const found = [...(sums.get(sku)?.values() ?? [])].map((sum) => causeOf(sum, views));
    return found.length === 0 ? ONLY_PROMISES : promised.has(sku) ? [...found, PROMISE] : found;
  };
}

function add(sums: Map<SkuKey, Map<string, Sum>>, row: LedgerRow, kind: Cause['kind']): void {
  const ofSku = sums.get(row.sku) ?? new Map<string, Sum>();
  sums.set(row.sku, ofSku);
  const { occurredAt } = row;
  const key = `${kind}/${row.at.node}/${row.source}/${row.reason}`;
  const sum = ofSku.get(key) ?? { row, kind, quantity: 0, from: occurredAt, to: occurredAt };
  ofSku.set(key, sum);
  sum.quantity += row.to === 'external' || row.to === 'expected' ? -row.quantity : row.quantity;
  sum.from = Math.min(sum.from, occurredAt);
  sum.to = Math.max(sum.to, occurredAt);
}

const causeOf = ({ row: { at, sourceName, reason }, kind, quantity, from, to }: Sum, views: Views): Cause => ({
  kind,
  node: views.node(at.node),
  ...(sourceName === null ? {} : { source: sourceName }),
  reason,
  quantity,
  occurredFrom: isoTime(from),
  occurredTo: isoTime(to),
});
