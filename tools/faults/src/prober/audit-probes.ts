/** What became of the probes: whatever was acknowledged is there, once, and the book agrees. */
import type { Reservation, StockOfSku } from '@onepool/contracts';
import { until } from '../until.ts';
import type { Api } from './api.ts';
import type { Prober } from './prober.ts';

export interface ProbeAudit {
  /** Acknowledged holds that are not there, or not with their unit. */
  readonly lost: number;
  /** Units promised beyond one for each hold that exists. */
  readonly doubled: number;
  readonly acknowledged: number;
  /** Probes without an answer, or refused for now, that are there after all; allowed, and counted once. */
  readonly foundLater: number;
}

const READERS = 16;
/** A probe that was given up may still be decided, within the deadline of its replica. */
const SETTLE_MS = 20_000;

/** Reads every probe's reservation and the hot SKU's book through the API. Call it when no probe is under way. */
export async function auditProbes(prober: Prober, settleMs = SETTLE_MS): Promise<ProbeAudit> {
  const [api] = prober.apis;
  if (!api) throw new Error('There is no replica to ask.');
  let audit = await auditOnce(prober, api);
  const agrees = async (): Promise<true | undefined> => {
    audit = await auditOnce(prober, api);
    return (audit.lost === 0 && audit.doubled === 0) || undefined;
  };
  if (audit.lost > 0 || audit.doubled > 0) await until('the book to agree', agrees, settleMs).catch(() => undefined);
  return audit;
}

async function auditOnce(prober: Prober, api: Api): Promise<ProbeAudit> {
  let acknowledged = 0;
  let foundLater = 0;
  let missing = 0;
  let units = 0;
  const queue = [...prober.probes];
  const reader = async (): Promise<void> => {
    for (let probe = queue.pop(); probe; probe = queue.pop()) {
      const found = await unitsOf(api, probe.id);
      units += found ?? 0;
      if (probe.outcome === 'granted') acknowledged += 1;
      else if (found !== undefined) foundLater += 1;
      if (probe.outcome === 'granted' && found !== 1) missing += 1;
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const promised = await promisedUnits(api, prober.sku);
  const there = acknowledged - missing + foundLater;
  return {
    lost: missing + Math.max(0, units - promised),
    doubled: Math.max(0, Math.max(units, promised) - there),
    acknowledged,
    foundLater,
  };
}

/** Units of a reservation; undefined when there is none. */
async function unitsOf(api: Api, id: string): Promise<number | undefined> {
  const { status, body } = await answered(api, 'getReservation', { id });
  if (status === 404) return undefined;
  const { lines } = body as Reservation;
  return lines.flatMap(({ backings }) => backings).reduce((sum, { held, confirmed }) => sum + held + confirmed, 0);
}

async function promisedUnits(api: Api, sku: string): Promise<number> {
  const { body } = await answered(api, 'getStock', { sku });
  return (body as StockOfSku).rows.reduce((sum, { reserved, committed }) => sum + reserved + committed, 0);
}

function answered(api: Api, name: Parameters<Api['call']>[0], parameters: Readonly<Record<string, string>>) {
  return until(`${name} to be answered`, async () => {
    const answer = await api.call(name, parameters);
    return answer.status === 200 || answer.status === 404 ? answer : undefined;
  });
}
