/** A replay from first call to verdict: create, stock up, drive, settle, wait for quiet, audit. */
import type { Progress } from '@onepool/platform-progress';
import {
  type Finding,
  type Outage,
  type Plan,
  Recorder,
  type Summary,
  type UnitSum,
  audit,
  failuresOf,
  summarize,
  unitSum,
} from '@onepool/simulator-domain';
import type { ApiClient } from './drive/api-client.ts';
import { putNetwork, putSkus, verifyLedger } from './drive/availability-api.ts';
import { type Quiescence, type QuiescenceOptions, awaitQuiescence } from './drive/await-quiescence.ts';
import { drivePlan } from './drive/drive-plan.ts';
import { inParallel } from './drive/in-parallel.ts';
import { OrderDriver } from './drive/order-driver.ts';
import { SystemUnavailable } from './drive/system-unavailable.ts';
import { FactLog } from './facts/fact-log.ts';
import type { FactSource } from './facts/fact-source.ts';
import { TraceUnreadable } from './trace/read-trace.ts';

export interface ReplaySettings {
  readonly concurrency: number;
  readonly speed: number | 'max';
  readonly quiescence: Omit<QuiescenceOptions, 'concurrency'>;
  readonly progress: Progress;
  /** Told what is being done, in a few words. */
  readonly onPhase: (phase: string) => void;
  /** Called once, when a tenth of the operations are done: something may be broken then. */
  readonly interrupt?: () => void;
}

export interface ReplayOutcome {
  readonly summary: Summary;
  /** Why it does not pass; empty when it does. */
  readonly failures: readonly string[];
  readonly findings: readonly Finding[];
  /** The first unexpected answers, with the id of the call. */
  readonly unexpected: readonly string[];
  /** Where the units went. */
  readonly units: UnitSum;
  /** When calls failed, by the client's monotonic clock. */
  readonly outages: readonly Outage[];
}

const UNEXPECTED_SHOWN_MAX = 10;
/** A warehouse system tells its stock batch by batch; thousands of lines at once in every connection is no traffic. */
const STOCKING_AT_A_TIME = 2;
const INTERRUPTED_AT = 0.1;

/** Replays the plan. Throws `SystemUnavailable` when the system stops answering; findings are returned. */
export const runReplay = async (
  plan: Plan,
  client: ApiClient,
  source: FactSource,
  settings: ReplaySettings,
): Promise<ReplayOutcome> => {
  const { concurrency, speed, progress, onPhase } = settings;
  if (plan.orders === 0) throw new TraceUnreadable('The trace has no orders to replay.');
  const log = new FactLog(plan.keyPrefix);
  const recorder = new Recorder();
  const driver = new OrderDriver(client, recorder);
  try {
    await source.start((fact) => log.take(fact));
    onPhase(`creating ${plan.skus.length} SKUs at ${plan.nodes.length} nodes, with their starting stock`);
    await stockUp(plan, client, driver, recorder);
    onPhase(`sending ${plan.operations.length} operations for ${plan.orders} orders, ${concurrency} at a time`);
    progress.begin(plan.operations.length);
    const interruptAt = Math.ceil(plan.operations.length * INTERRUPTED_AT);
    let done = 0;
    const onDone = (): void => {
      progress.advance();
      done += 1;
      if (done === interruptAt) settings.interrupt?.();
    };
    const drivenFromMs = performance.now();
    const driveMs = await drivePlan(plan, driver, { concurrency, speed, onDone }).finally(() => progress.end());
    await driver.settle();
    onPhase('waiting until nothing moves any more');
    const quiet = await awaitQuiescence(client, plan, { log, source }, { concurrency, ...settings.quiescence });
    onPhase('auditing');
    const ledger = await verifyLedger(client, plan.keyPrefix);
    const { retries, callsRetried } = client;
    // A single long call, as the ledger's proof, is silent without being an outage.
    const isTraffic = ({ fromMs }: Outage): boolean => fromMs >= drivenFromMs && fromMs <= drivenFromMs + driveMs;
    const outages = client.outages.filter((outage) => outage.failedAttempts > 0 || isTraffic(outage));
    const evidence = { driveMs, quiet, ledgerBalanced: ledger.balanced, retries, callsRetried, outages };
    return judge(plan, recorder, log, evidence);
  } finally {
    await source.stop();
  }
};

const stockUp = async (plan: Plan, client: ApiClient, driver: OrderDriver, recorder: Recorder): Promise<void> => {
  await putSkus(client, plan.skus);
  await putNetwork(client, plan.nodes, plan.channels);
  await inParallel(plan.stock, STOCKING_AT_A_TIME, (request) =>
    driver.perform({ kind: 'movement', cause: 'return', atMs: 0, request }),
  );
  await driver.settle();
  const refused = recorder.failures[0];
  if (refused) throw new SystemUnavailable(`Starting stock was refused: ${refused.id}: ${refused.answer}`);
};

interface Evidence {
  readonly driveMs: number;
  readonly quiet: Quiescence;
  readonly ledgerBalanced: boolean;
  readonly retries: number;
  readonly callsRetried: number;
  readonly outages: readonly Outage[];
}

const judge = (plan: Plan, recorder: Recorder, log: FactLog, evidence: Evidence): ReplayOutcome => {
  const { stocks, written } = evidence.quiet;
  const history = recorder.history();
  const result = audit({ history, moves: log.moves, confirmFacts: log.confirms, stocks });
  const summary = summarize({
    ...evidence,
    plan,
    history,
    audit: result,
    holdLatenciesMs: recorder.holdLatenciesMs,
    eventsPublished: written,
    eventsReceived: log.received,
    versionGaps: stocks.reduce((sum, { sku, version }) => sum + log.gapsOf(sku, version), 0),
    failures: recorder.failures.length,
    stepsRefused: recorder.stepsRefused,
  });
  const unexpected = recorder.failures.slice(0, UNEXPECTED_SHOWN_MAX).map(({ id, answer }) => `${id}: ${answer}`);
  const failures = failuresOf(summary, result.findings);
  const units = unitSum(history, stocks);
  return { summary, failures, findings: result.findings, unexpected, units, outages: evidence.outages };
};
