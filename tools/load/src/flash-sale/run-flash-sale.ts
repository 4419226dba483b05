/** A flash sale from first call to verdict: create, stock up, drive with k6, settle, wait for quiet, audit. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StockOfSku } from '@onepool/contracts';
import { showProgress } from '@onepool/platform-progress';
import {
  ApiClient,
  FactLog,
  JetStreamFacts,
  SystemUnavailable,
  awaitQuiescence,
  putNetwork,
  putSkus,
  readStock,
  verifyLedger,
} from '@onepool/simulator-data-access';
import { type Finding, Recorder, type UnitSum, audit, unitSum } from '@onepool/simulator-domain';
import { HISTORY_FILE, runK6, writeRunFile } from '../k6/run-k6.ts';
import type { LoadRun } from '../load-run.ts';
import { readK6Summary } from '../k6/k6-summary.ts';
import { arrivalStages } from './arrivals.ts';
import { boundExpiries } from './bound-expiries.ts';
import { type CallRecord, parseHistory } from './call-record.ts';
import type { FlashSalePlan } from './plan.ts';
import { readHistory } from './read-history.ts';
import { settle } from './settle.ts';
import { type SaleSummary, summarizeSale } from './summary.ts';
import { watchHistory } from './watch-history.ts';

export interface SaleOutcome {
  readonly summary: SaleSummary;
  readonly units: UnitSum;
  readonly findings: readonly Finding[];
  /** The first unexpected answers, with the id of the call. */
  readonly unexpected: readonly string[];
}

const BUYERS_AT_ONCE_MAX = 500;
const STALL_MS = 30_000;
const POLL_MS = 200;
const EXPIRY_PATIENCE_MS = 30_000;
const UNEXPECTED_SHOWN_MAX = 10;
const WAVES_MAX = 4;
const WAVE_SECONDS_LEAST = 5;
/** k6 says so of each attempt without an answer, most of which are impatient buyers'. The history has them all. */
const GIVEN_UP = 'Request Failed';

/** @throws SystemUnavailable when nothing can be proven; findings are returned. */
export async function runFlashSale(plan: FlashSalePlan, run: LoadRun): Promise<SaleOutcome> {
  const { urls, key, natsUrl } = run.system;
  const client = new ApiClient({ urls, key, connections: 2, retryForMs: 60_000, attemptTimeoutMs: 10_000 });
  const source = await JetStreamFacts.connect(natsUrl);
  const log = new FactLog(plan.keyPrefix);
  const recorder = new Recorder();
  try {
    // k6 is another process: what both see is the machine's clock, in whole milliseconds.
    await source.start((fact) => log.take({ ...fact, receivedAtMs: Date.now() + 1 }));
    await stockUp(plan, client, recorder);
    const { records, droppedArrivals } = await drive(plan, run);
    run.say('settling what was not answered, and waiting until nothing moves any more');
    await settle(readHistory(records, plan, recorder), plan, client, recorder);
    await untilNothingIsHeld(plan, client);
    const what = { skus: [plan.sku], keyPrefix: plan.keyPrefix };
    const quiet = { concurrency: 1, stallMs: STALL_MS, pollMs: POLL_MS };
    const { stocks, written } = await awaitQuiescence(client, what, { log, source }, quiet);
    run.say('auditing');
    const stock = stocks[0];
    if (stock === undefined) throw new SystemUnavailable(`The book has no ${plan.sku}.`);
    const { balanced } = await verifyLedger(client, plan.keyPrefix);
    const history = recorder.history();
    const moves = boundExpiries(log.moves, history.holds, plan.expiresInSeconds);
    const result = audit({ history, moves, confirmFacts: log.confirms, stocks });
    const units = unitSum(history, stocks);
    const summary = summarizeSale({
      plan,
      unitSum: units,
      records,
      history,
      moves,
      audit: result,
      stock,
      holdLatenciesMs: recorder.holdLatenciesMs,
      unexpected: recorder.failures.length,
      factsWritten: written,
      factsReceived: log.received,
      versionGaps: log.gapsOf(plan.sku, stock.version),
      ledgerBalanced: balanced,
      droppedArrivals,
      replicas: urls.length,
    });
    const unexpected = recorder.failures.slice(0, UNEXPECTED_SHOWN_MAX).map(({ id, answer }) => `${id}: ${answer}`);
    return { summary, units, findings: result.findings, unexpected };
  } finally {
    await source.stop();
    await client.close();
  }
}

async function stockUp(plan: FlashSalePlan, client: ApiClient, recorder: Recorder): Promise<void> {
  await putSkus(client, [plan.sku]);
  await putNetwork(client, plan.nodes, plan.channels);
  const fromMs = Date.now();
  const result = await client.call((onepool) => onepool.recordMovements({ body: plan.stock }));
  if (result.kind !== 'granted') {
    const why = result.kind === 'refused' ? JSON.stringify(result.problem) : result.reason;
    throw new SystemUnavailable(`The units of the sale could not be recorded: ${why}`);
  }
  recorder.movement({
    id: plan.stock.id,
    interval: { fromMs, untilMs: Date.now() + 1 },
    movements: plan.stock.movements,
    outcome: 'applied',
    recordedAtMs: Date.parse(result.value.recordedAt),
  });
}

interface Driven {
  readonly records: readonly CallRecord[];
  readonly droppedArrivals: number;
}

/** Lets everybody come: who could not arrive, because k6 had no virtual user free, comes in another wave. */
async function drive(plan: FlashSalePlan, run: LoadRun): Promise<Driven> {
  const { options, counterSales } = plan;
  const { buyers, units, durationSeconds } = options;
  run.say(
    `${buyers} buyers for ${units} units in ${durationSeconds} s, ${counterSales.length} counter sales meanwhile`,
  );
  let records: CallRecord[] = [];
  let told = 0;
  let droppedArrivals = 0;
  let wave: Wave = { ...plan, durationSeconds };
  for (let count = 1; wave.buyers.length > 0 && count <= WAVES_MAX; count += 1) {
    if (count > 1) run.say(`${wave.buyers.length} buyers could not come in time; they come now`);
    await driveWave(plan, wave, run);
    const { counterOf } = readK6Summary(run.folder);
    told += counterOf('calls_recorded');
    droppedArrivals += counterOf('dropped_iterations');
    records = parseHistory(readFileSync(join(run.folder, HISTORY_FILE), 'utf8'));
    if (told !== records.length) {
      throw new Error(
        `k6 recorded ${told} calls, the history has ${records.length}: what is incomplete proves nothing.`,
      );
    }
    const came = new Set(records.map(({ id }) => id));
    const left = plan.buyers.filter(({ id }) => !came.has(id));
    const seconds = Math.max(WAVE_SECONDS_LEAST, Math.ceil((durationSeconds * left.length) / buyers));
    wave = { buyers: left, counterSales: [], durationSeconds: seconds, stages: arrivalStages(left.length, seconds) };
  }
  return { records, droppedArrivals };
}

type Wave = Pick<FlashSalePlan, 'buyers' | 'counterSales' | 'stages'> & { readonly durationSeconds: number };

/** Runs k6 once; it adds to the history. */
async function driveWave({ sku, expiresInSeconds }: FlashSalePlan, wave: Wave, run: LoadRun): Promise<void> {
  const { stages, durationSeconds } = wave;
  const timing = { expiresInSeconds, stages, durationSeconds, buyersAtOnceMax: BUYERS_AT_ONCE_MAX };
  writeRunFile(run.folder, 'sale.json', { sku, ...timing });
  writeRunFile(run.folder, 'buyers.json', wave.buyers);
  writeRunFile(run.folder, 'counter-sales.json', wave.counterSales);
  const onLine = (line: string): void => void (line === GIVEN_UP || run.say(line));
  const watch = watchHistory(join(run.folder, HISTORY_FILE), showProgress('sale', 'buyers'));
  watch.begin(wave.buyers.length);
  const code = await runK6({ ...run, scenario: 'flash-sale.ts', onLine }).finally(() => watch.end());
  if (code !== 0) throw new Error(`k6 ended with exit code ${code}.`);
}

/** Waits until every hold was confirmed, given back or has expired; what stays held is for the audit to say. */
async function untilNothingIsHeld({ sku, expiresInSeconds }: FlashSalePlan, client: ApiClient): Promise<void> {
  const deadline = Date.now() + expiresInSeconds * 1_000 + EXPIRY_PATIENCE_MS;
  const isHeld = ({ rows }: StockOfSku): boolean => rows.some(({ reserved }) => reserved > 0);
  while (isHeld(await readStock(client, sku)) && Date.now() < deadline) await delay(POLL_MS);
}
