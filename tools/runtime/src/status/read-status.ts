import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../home.ts';
import { isRunning, readRecord } from '../runtime-record.ts';
import type { RuntimeRecord } from '../runtime-record.ts';
import { askApp, askNats, askPostgres, askRelay } from './ask-health.ts';
import { usageOf } from './process-usage.ts';
import { processStatus } from './system-status.ts';
import type { Health, ProcessStatus, SystemStatus } from './system-status.ts';

/** How the system on this home is, now. Never throws: what cannot be read is part of the answer. */
export async function readStatus(home: string, root: string): Promise<SystemStatus> {
  const { record: file, apiKeyFile, logs } = homePaths(home);
  const record = readRecord(file);
  const facts = { onepool: onepoolVersion(root), node: process.version, home, apiKeyFile, logs };
  if (record === undefined || !(isRunning(record.runtime) || Object.values(record.processes).some(isRunning))) {
    return { ...facts, isRunning: false, isHealthy: false, urls: {}, processes: [] };
  }
  const [processes, relay] = await Promise.all([
    processesOf(record),
    askRelay(Object.values(record.urls).flat(), readText(apiKeyFile).trim()),
  ]);
  const isHealthy = record.ready && processes.every((one) => one.isHealthy);
  return { ...facts, isRunning: true, isHealthy, urls: record.urls, processes, ...(relay ? { relay } : {}) };
}

async function processesOf(record: RuntimeRecord): Promise<readonly ProcessStatus[]> {
  const { runtime, processes, ready } = record;
  const supervisor: Health = ready
    ? { isHealthy: true, text: 'ready', version: process.version }
    : { isHealthy: false, text: 'starting or stopping' };
  const rows = [Promise.resolve(processStatus('runtime', { pid: runtime.pid }, usageOf(runtime), supervisor))];
  for (const [name, ask] of Object.entries(questionsOf(record))) {
    const recorded = processes[name];
    const facts = recorded === undefined ? {} : pick(recorded);
    const usage = recorded === undefined ? undefined : usageOf(recorded);
    rows.push(ask().then((health) => processStatus(name, facts, usage, health)));
  }
  return Promise.all(rows);
}

/** Who has to be there: all apps, and PostgreSQL and NATS, our own or somebody else's. */
function questionsOf({ urls, databaseUrl, natsUrl }: RuntimeRecord): Readonly<Record<string, () => Promise<Health>>> {
  const apps = Object.entries(urls).flatMap(([app, addresses]) =>
    addresses.map((url, index) => [`${app}-${index + 1}`, () => askApp(url)] as const),
  );
  return {
    ...Object.fromEntries(apps),
    ...(databaseUrl ? { postgres: () => askPostgres(databaseUrl) } : {}),
    ...(natsUrl ? { nats: () => askNats(natsUrl) } : {}),
  };
}

function pick({ pid, port, restarts }: RuntimeRecord['processes'][string]) {
  return { pid, ...(port === undefined ? {} : { port }), ...(restarts === undefined ? {} : { restarts }) };
}

/** `0.1.0 (a1b2c3d)`, the commit where there is a repository. */
function onepoolVersion(root: string): string {
  const { version = '?' } = JSON.parse(readText(join(root, 'package.json')) || '{}') as { version?: string };
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim();
  return commit ? `${version} (${commit})` : version;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
