/** Finds out what became of the calls that got no certain answer, now that nothing else is under way. */
import type { MovementsRequest } from '@onepool/contracts';
import { type ApiClient, type CallResult, SystemUnavailable } from '@onepool/simulator-data-access';
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
  const result = await client.call((onepool) => onepool.getReservation({ params: { id } }));
  // Nothing of it is there: a refusal stands, and what was never answered stays unknown, which the audit allows for.
  if (result.kind === 'refused' && result.problem.status === 404 && kind === 'hold') return;
  const reservation = succeeded(id, result);
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
  const result = succeeded(id, await client.call((onepool) => onepool.recordMovements({ body: request })));
  const interval = { fromMs: sinceMs, untilMs: Date.now() + 1 };
  const recordedAtMs = Date.parse(result.recordedAt);
  recorder.movement({ id, interval, movements: request.movements, outcome: 'applied', recordedAtMs });
}

function succeeded<T>(id: string, result: CallResult<T>): T {
  if (result.kind === 'granted') return result.value;
  const why = result.kind === 'refused' ? JSON.stringify(result.problem) : result.reason;
  throw new SystemUnavailable(`What became of ${id} cannot be found out: ${why}`);
}
