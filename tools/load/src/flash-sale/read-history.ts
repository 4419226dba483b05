/** Translates what k6 wrote into the history that the simulator's audit reads. */
import type { Movement, MovementsResult, Reservation } from '@onepool/contracts';
import { type Recorder, callsForRetry, grantOf, isExpectedRefusal, leavesOutcomeOpen } from '@onepool/simulator-domain';
import type { CallRecord } from './call-record.ts';
import type { CounterSale, FlashSalePlan } from './plan.ts';

/** A call whose outcome is not known, or of which an attempt may yet have taken effect behind its answer. */
export interface OpenCall {
  readonly kind: CallRecord['kind'];
  readonly id: string;
  readonly sinceMs: number;
}

type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused' | 'failed'; readonly answer: string; readonly mayHaveHappened: boolean }
  | { readonly kind: 'unanswered' };

/** Notes every call in the recorder; answers those that have to be looked up. */
export function readHistory(records: readonly CallRecord[], plan: FlashSalePlan, recorder: Recorder): OpenCall[] {
  const saleById = new Map(plan.counterSales.map((sale) => [sale.id, movementsOf(plan, sale)]));
  return records.flatMap((record) => {
    const outcome = outcomeOf(record);
    if (outcome.kind === 'failed') recorder.failure(record.id, outcome.answer);
    if (record.kind === 'hold') noteHold(record, outcome, plan.sku, recorder);
    else if (record.kind === 'sale') noteSale(record, outcome, saleById.get(record.id) ?? [], recorder);
    else noteStep(record, outcome, recorder);
    const isOpen = outcome.kind === 'unanswered' || (outcome.kind !== 'done' && outcome.mayHaveHappened);
    return isOpen ? [{ kind: record.kind, id: record.id, sinceMs: record.fromMs }] : [];
  });
}

/** The movements of one counter sale. */
export function movementsOf({ sku }: FlashSalePlan, { node, quantity }: CounterSale): Movement[] {
  return [{ type: 'sale', sku, node, quantity }];
}

/** What the attempts of a call say together. */
export function outcomeOf({ statuses, codes }: Pick<CallRecord, 'statuses' | 'codes'>): Outcome {
  const status = statuses.at(-1) ?? 0;
  if (status === 0 || callsForRetry(status)) return { kind: 'unanswered' };
  if (status >= 200 && status < 300) return { kind: 'done' };
  const mayHaveHappened = statuses
    .slice(0, -1)
    .some((earlier, index) => earlier === 0 || leavesOutcomeOpen(earlier, codes[index] ?? undefined));
  const code = codes.at(-1) ?? undefined;
  const answer = `${status} ${code ?? ''}`.trim();
  return { kind: isExpectedRefusal(code) ? 'refused' : 'failed', answer, mayHaveHappened };
}

function noteHold(record: CallRecord, outcome: Outcome, sku: string, recorder: Recorder): void {
  const { id, fromMs, untilMs } = record;
  if (outcome.kind !== 'unanswered') recorder.holdLatenciesMs.push(untilMs - fromMs);
  const base = { id, allowPartial: false, requested: new Map([[sku, 1]]), backed: [], version: 0 };
  const interval = { fromMs, untilMs: outcome.kind === 'unanswered' ? Infinity : untilMs };
  if (outcome.kind === 'done') recorder.hold({ ...base, interval, ...grantOf(record.body as Reservation) });
  else recorder.hold({ ...base, interval, outcome: outcome.kind === 'unanswered' ? 'unknown' : outcome.kind });
}

function noteStep(record: CallRecord, outcome: Outcome, recorder: Recorder): void {
  const { id, fromMs, untilMs } = record;
  const interval = { fromMs, untilMs };
  if (outcome.kind === 'refused') recorder.stepsRefused += 1;
  if (outcome.kind !== 'done') return;
  if (record.kind === 'confirm') recorder.confirmed({ reservation: id, interval });
  recorder.step(record.body as Reservation, interval);
}

function noteSale(record: CallRecord, outcome: Outcome, movements: readonly Movement[], recorder: Recorder): void {
  const { id, fromMs, untilMs } = record;
  const interval = { fromMs, untilMs: outcome.kind === 'unanswered' ? Infinity : untilMs };
  if (outcome.kind === 'done') {
    const recordedAtMs = Date.parse((record.body as MovementsResult).recordedAt);
    recorder.movement({ id, interval, movements, outcome: 'applied', recordedAtMs });
  } else
    recorder.movement({ id, interval, movements, outcome: outcome.kind === 'unanswered' ? 'unknown' : outcome.kind });
}
