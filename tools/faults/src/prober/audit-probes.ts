/** What became of the probes: whatever was acknowledged is there, once, and the book agrees. */
import { type Answered, type Refused, valueOf } from '@onepool/client';
import { until } from '../until.ts';
import type { Prober } from './prober.ts';
import type { Replica } from './replica.ts';

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
  const [replica] = prober.replicas;
  if (!replica) throw new Error('There is no replica to ask.');
  let audit = await auditOnce(prober, replica);
  const agrees = async (): Promise<true | undefined> => {
    audit = await auditOnce(prober, replica);
    return (audit.lost === 0 && audit.doubled === 0) || undefined;
  };
  if (audit.lost > 0 || audit.doubled > 0) await until('the book to agree', agrees, settleMs).catch(() => undefined);
  return audit;
}

async function auditOnce(prober: Prober, { onepool }: Replica): Promise<ProbeAudit> {
  let acknowledged = 0;
  let foundLater = 0;
  let missing = 0;
  let units = 0;
  const queue = [...prober.probes];
  const reader = async (): Promise<void> => {
    for (let probe = queue.pop(); probe; probe = queue.pop()) {
      const found = await unitsOf(onepool, probe.id);
      units += found ?? 0;
      if (probe.outcome === 'granted') acknowledged += 1;
      else if (found !== undefined) foundLater += 1;
      if (probe.outcome === 'granted' && found !== 1) missing += 1;
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const promised = await promisedUnits(onepool, prober.sku);
  const there = acknowledged - missing + foundLater;
  return {
    lost: missing + Math.max(0, units - promised),
    doubled: Math.max(0, Math.max(units, promised) - there),
    acknowledged,
    foundLater,
  };
}

type Onepool = Replica['onepool'];

/** Units of a reservation; undefined when there is none. */
async function unitsOf(onepool: Onepool, id: string): Promise<number | undefined> {
  const found = await answered(`${id} to be read`, () => onepool.getReservation({ params: { id } }));
  if (!found.ok) return undefined;
  const backings = found.value.lines.flatMap((line) => line.backings);
  return backings.reduce((sum, { held, confirmed }) => sum + held + confirmed, 0);
}

async function promisedUnits(onepool: Onepool, sku: string): Promise<number> {
  const { rows } = valueOf(await answered(`${sku} to be read`, () => onepool.getStock({ params: { sku } })));
  return rows.reduce((sum, { reserved, committed }) => sum + reserved + committed, 0);
}

/** Until the answer is a value, or that there is none. */
function answered<T>(what: string, ask: () => Promise<Answered<T> | Refused<string>>) {
  return until(what, async () => {
    const answer = await ask();
    return answer.ok || answer.status === 404 ? answer : undefined;
  });
}
