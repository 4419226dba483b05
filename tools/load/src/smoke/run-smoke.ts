/** The smoke test: a small network of its own, half a minute of calls, k6's checks and thresholds as the verdict. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { showProgress } from '@onepool/platform-progress';
import { ApiClient, SystemUnavailable, putNetwork, putSkus } from '@onepool/simulator-data-access';
import { readK6Summary } from '../k6/k6-summary.ts';
import { HISTORY_FILE, K6_THRESHOLDS_CROSSED, runK6, writeRunFile } from '../k6/run-k6.ts';
import type { LoadRun } from '../load-run.ts';

export interface SmokeOptions {
  readonly run: string;
  readonly seed: number;
  readonly durationSeconds: number;
  readonly arrivalsPerSecond: number;
}

export interface SmokeOutcome {
  /** Flat, and stable: scripts read it. */
  readonly summary: Readonly<Record<string, number | string>>;
  /** Why it does not pass; empty when it does. */
  readonly failures: readonly string[];
  /** The first answers that were not expected. */
  readonly unexpected: readonly string[];
}

export const SMOKE_OPERATIONS = ['read', 'hold', 'confirm', 'release', 'movement'] as const;
const SKUS = 20;
const NODES = 3;
const UNITS_AT_NODE = 1_000;
const UNEXPECTED_SHOWN_MAX = 10;

export async function runSmoke(options: SmokeOptions, run: LoadRun): Promise<SmokeOutcome> {
  const prefix = `s${options.run}-`;
  const names = (kind: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}${kind}${index + 1}`);
  const network = { prefix, skus: names('sku', SKUS), nodes: names('n', NODES), channel: `${prefix}web` };
  await stockUp(network, run);
  writeRunFile(run.folder, 'smoke.json', { ...network, ...options });
  run.say(`${options.arrivalsPerSecond} arrivals per second for ${options.durationSeconds} s`);
  const progress = showProgress('smoke', 'seconds');
  progress.begin(options.durationSeconds);
  const timer = setInterval(() => progress.advance(), 1_000);
  const code = await runK6({ ...run, scenario: 'smoke.ts', onLine: run.say }).finally(() => {
    clearInterval(timer);
    progress.end();
  });
  if (code !== 0 && code !== K6_THRESHOLDS_CROSSED) throw new Error(`k6 ended with exit code ${code}.`);
  return outcomeOf(options, run.folder);
}

interface Network {
  readonly prefix: string;
  readonly skus: readonly string[];
  readonly nodes: readonly string[];
  readonly channel: string;
}

async function stockUp({ prefix, skus, nodes, channel }: Network, { system }: LoadRun): Promise<void> {
  const client = new ApiClient({ ...system, connections: 2, retryForMs: 30_000, attemptTimeoutMs: 10_000 });
  try {
    await putSkus(client, skus);
    const stores = nodes.map((node) => ({ node, type: 'store' as const }));
    await putNetwork(client, stores, [{ channel, type: 'web', nodes: [...nodes] }]);
    const movements = skus.flatMap((sku) =>
      nodes.map((node) => ({ type: 'receipt' as const, sku, node, quantity: UNITS_AT_NODE })),
    );
    const body = { id: `${prefix}stock`, source: 'wms', movements };
    const stocked = await client.call((onepool) => onepool.recordMovements({ body }));
    if (stocked.kind !== 'granted') {
      throw new SystemUnavailable('The stock of the smoke test could not be recorded.');
    }
  } finally {
    await client.close();
  }
}

function outcomeOf({ run, seed, durationSeconds }: SmokeOptions, folder: string): SmokeOutcome {
  const { counterOf, valueOf, crossed } = readK6Summary(folder);
  const p99s = SMOKE_OPERATIONS.map(
    (name) => [`${name}_p99_ms`, Math.round(valueOf(`${name}_ms`, 'p(99)') ?? 0)] as const,
  );
  const summary = {
    arrivals: counterOf('iterations'),
    calls: counterOf('http_reqs'),
    unexpected: counterOf('unexpected_answers'),
    checks_passed: valueOf('checks', 'passes') ?? 0,
    checks_failed: valueOf('checks', 'fails') ?? 0,
    dropped_arrivals: counterOf('dropped_iterations'),
    ...Object.fromEntries(p99s),
    seed,
    run,
    duration_s: durationSeconds,
  };
  const file = join(folder, HISTORY_FILE);
  const told = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return {
    summary,
    failures: crossed.map((threshold) => `the budget ${threshold} is not met`),
    unexpected: told.slice(0, UNEXPECTED_SHOWN_MAX),
  };
}
