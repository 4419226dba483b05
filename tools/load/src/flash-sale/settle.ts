/** Finds out what became of the calls that got no certain answer, now that nothing else is under way. */
import type { MovementsRequest, MovementsResult, Reservation } from '@onepool/contracts';
import { type ApiClient, type CallResult, SystemUnavailable, send } from '@onepool/simulator-data-access';
import type { Recorder } from '@onepool/simulator-domain';
import type { FlashSalePlan } from './plan.ts';
import { type OpenCall, movementsOf } from './read-history.ts';

/** @throws SystemUnavailable when a call cannot be settled: then nothing can be proven. */
export async function settle(
  open: readonly OpenCall[],
  plan: FlashSalePlan,
  client: ApiClient,
  recorder: Recorder,
): Promise<void> {
  const sales = new Map(plan.counterSales.map((sale) => [sale.id, sale]));
  for (const call of open) {
    const sale = sales.get(call.id);
    if (sale === undefined) await settleReservation(call, client, recorder);
    else {
      // Repeating it with the same id and body changes nothing if it was done.
      const request: MovementsRequest = { id: call.id, source: 'pos', movements: movementsOf(plan, sale) };
      await settleSale(call, request, client, recorder);
    }
  }
}

async function settleReservation(
  { kind, id, sinceMs }: OpenCall,
  client: ApiClient,
  recorder: Recorder,
): Promise<void> {
  const result = answered(id, await send(client, 'getReservation', { id }));
  // Nothing of it is there: a refusal stands, and what was never answered stays unknown, which the audit allows for.
  if (result.status === 404 && kind === 'hold') return;
  const reservation = succeeded(id, result) as Reservation;
  const untilMs = Date.now() + 1;
  if (kind === 'hold') recorder.grantedAfterAll(id, reservation, untilMs);
  recorder.step(reservation, { fromMs: sinceMs, untilMs });
}

async function settleSale(
  { id, sinceMs }: OpenCall,
  request: MovementsRequest,
  client: ApiClient,
  recorder: Recorder,
): Promise<void> {
  const result = succeeded(id, answered(id, await send(client, 'recordMovements', {}, request))) as MovementsResult;
  const interval = { fromMs: sinceMs, untilMs: Date.now() + 1 };
  const recordedAtMs = Date.parse(result.recordedAt);
  recorder.movement({ id, interval, movements: request.movements, outcome: 'applied', recordedAtMs });
}

type Answered = Extract<CallResult, { kind: 'answered' }>;

function answered(id: string, result: CallResult): Answered {
  if (result.kind === 'answered') return result;
  throw new SystemUnavailable(`What became of ${id} cannot be found out: ${result.reason}`);
}

function succeeded(id: string, { status, body }: Answered): unknown {
  if (status < 300) return body;
  throw new SystemUnavailable(`What became of ${id} cannot be found out: ${status} ${JSON.stringify(body)}`);
}
