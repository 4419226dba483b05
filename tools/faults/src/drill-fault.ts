/** One fault from first call to verdict: probe, replay, cause it while traffic flows, let it end, compare everything. */
import type { OwnConsumer } from './consumer/own-consumer.ts';
import type { EffectAudit } from './consumer/audit-effects.ts';
import type { Fault, Measures, ReadyFault } from './fault.ts';
import type { OwnSystem } from './own-system.ts';
import { auditProbes } from './prober/audit-probes.ts';
import type { ProbeAudit } from './prober/audit-probes.ts';
import type { Probe } from './prober/probe.ts';
import { Prober } from './prober/prober.ts';
import { Replay } from './replay.ts';
import type { ReplayResult } from './replay.ts';

export interface DrillSetup {
  readonly system: OwnSystem;
  readonly consumer: OwnConsumer;
  readonly orders: number;
  readonly seed: number;
  /** Makes the ids of this drill differ from those of another on the same system. */
  readonly run: string;
  readonly say: (message: string) => void;
}

export interface FaultResult {
  readonly fault: string;
  /** Claims that did not hold; empty when the fault was survived. */
  readonly violations: readonly string[];
  readonly measures: Measures;
  /** Acknowledged effects that are not there: units of the replay, and holds of the prober. */
  readonly lost: number;
  /** Effects beyond the first: units promised by the prober twice, and facts that a consumer applied twice. */
  readonly doubled: number;
  /** Facts written that the replay or the consumer never got. */
  readonly missingEvents: number;
  readonly replay: ReplayResult;
  readonly probes: ProbeAudit;
  readonly effects: EffectAudit;
}

/** The fault is caused when between a twentieth and three tenths of the orders are promised; which, the seed decides. */
const EARLIEST_SHARE = 0.05;
const LATEST_SHARE = 0.3;
const GOLDEN = 0.618_034;

export async function drillFault(fault: Fault, setup: DrillSetup): Promise<FaultResult> {
  const { system, consumer, say } = setup;
  const ready = await fault.prepare(system);
  const prober = await Prober.start(ready.urls, system.apiKey, setup.run).catch(failAfter(ready.end));
  const plan = { run: setup.run, orders: setup.orders, seed: setup.seed, urls: ready.urls, onLine: say };
  const replay = new Replay(system, plan);
  const before = system.pids();
  const crashesBefore = consumer.crashes;
  try {
    const measures = await cause(ready, { ...setup, prober, replay });
    const result = await replay.result();
    await prober.stop();
    say('comparing acknowledgements, book and effects');
    const [probes, effects] = await Promise.all([auditProbes(prober), consumer.audit(say)]);
    const violations = [
      ...measures.violations,
      ...replayViolations(result),
      ...probeViolations(prober.probes, probes),
      ...effectViolations(effects),
      ...survivors(before, system.pids(), fault.ends),
      ...(consumer.crashes > crashesBefore ? ['the consumer ended by itself'] : []),
    ];
    const { summary } = result;
    return {
      fault: fault.name,
      violations,
      measures,
      lost: (summary?.lost ?? 0) + probes.lost,
      doubled: probes.doubled + effects.doubled,
      missingEvents: (summary ? summary.events_published - summary.events_received : 0) + effects.missing,
      replay: result,
      probes,
      effects,
    };
  } finally {
    await replay.kill();
    await prober.stop();
    await prober.close();
    await ready.end();
  }
}

interface Cast extends DrillSetup {
  readonly prober: Prober;
  readonly replay: Replay;
}

/** A fault that cannot be caused, or after which nothing comes back, is a violation and not the end of the drill. */
async function cause(ready: ReadyFault, cast: Cast): Promise<Measures> {
  const share = EARLIEST_SHARE + ((cast.seed * GOLDEN) % 1) * (LATEST_SHARE - EARLIEST_SHARE);
  try {
    await cast.replay.progressed(cast.consumer.pool, share);
    return await ready.inject(cast);
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? `; ${error.cause.message}` : '';
    return { violations: [`${(error as Error).message}${reason}`] };
  }
}

function replayViolations({ exitCode, summary, lastWords }: ReplayResult): string[] {
  if (exitCode === 0) return [];
  const why = lastWords.filter((line) => /^(FAIL:|lost|oversold|undersold|broken|unexpected|\w+Error)/.test(line));
  return [`the replay ended with ${exitCode}: ${(summary ? why : lastWords.slice(-5)).join(' / ')}`];
}

function probeViolations(probes: readonly Probe[], audit: ProbeAudit): string[] {
  const unexpected = probes.filter(({ outcome }) => outcome === 'unexpected');
  const problems: string[] = [];
  const [first] = unexpected;
  if (first) problems.push(`${unexpected.length} probes were answered as none should be, first: ${first.detail}`);
  if (audit.lost > 0) problems.push(`${audit.lost} acknowledged probes are lost`);
  if (audit.doubled > 0) problems.push(`${audit.doubled} units were promised to probes twice`);
  return problems;
}

function effectViolations({ missing, doubled, foreign, gaps }: EffectAudit): string[] {
  const counts = [
    [missing, 'facts took no effect at the consumer'],
    [doubled, 'facts took effect more than once at the consumer'],
    [foreign, 'effects come from facts that the outbox does not hold'],
    [gaps, 'links of version chains are missing at the consumer'],
  ] as const;
  return counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
}

/** Nothing but what was killed may have ended. */
function survivors(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>, ends: readonly string[]) {
  return [...before].flatMap(([name, pid]) =>
    ends.includes(name) || now.get(name) === pid ? [] : [`${name} (process ${pid}) ended although nobody killed it`],
  );
}

function failAfter(end: () => Promise<void>): (error: unknown) => Promise<never> {
  return async (error) => {
    await end();
    throw error;
  };
}
