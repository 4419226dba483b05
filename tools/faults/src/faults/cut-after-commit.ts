import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '@onepool/platform-local-servers';
import { TcpProxy } from '@onepool/testing-servers';
import { startProgram } from '../child.ts';
import { RECOVERY_MS_MAX, tooSlow } from '../fault.ts';
import type { Fault, Measures, ReadyFault, Stage } from '../fault.ts';
import type { OwnSystem } from '../own-system.ts';
import { until } from '../until.ts';

const NAME = 'availability-cut';
const CUTS = 20;
/** The message of the simple protocol; no parameter or other statement ends so. */
const COMMIT = Buffer.from('COMMIT\0');

/**
 * A third replica reaches PostgreSQL through a proxy that passes COMMIT on and then cuts the connection, again and again:
 * the replica cannot know whether it happened, and must find out instead of doing it twice or not at all.
 */
export const cutAfterCommit: Fault = { name: 'cut-after-commit', ends: [], prepare };

async function prepare(system: OwnSystem): Promise<ReadyFault> {
  const proxy = await TcpProxy.to(Number(new URL(system.databaseUrl).port));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = createWriteStream(join(system.logs, `${NAME}.log`), { flags: 'a' });
  const replica = startProgram({
    entry: 'apps/availability/dist/main.js',
    variables: {
      PORT: String(port),
      DATABASE_URL: proxy.url(system.databaseUrl),
      NATS_URL: system.natsUrl,
      ONEPOOL_INSTANCE: NAME,
    },
    onLine: (line) => void log.write(`${line}\n`),
  });
  const end = async (): Promise<void> => {
    await replica.stop();
    await proxy.close();
    log.end();
    await once(log, 'close');
  };
  try {
    await until('the third replica to be ready', async () => {
      if (!replica.isRunning()) return true;
      return (await fetch(`${url}/health/ready`)).ok || undefined;
    });
    if (!replica.isRunning()) throw new Error(`The third replica ended, see ${NAME}.log.`);
  } catch (error) {
    await end();
    throw error;
  }
  const inject = async (stage: Stage): Promise<Measures> => {
    const measures = await cutRepeatedly(stage, proxy, url);
    return replica.isRunning() ? measures : { ...measures, violations: [...measures.violations, `${NAME} ended`] };
  };
  return { urls: [...system.urls, url], inject, end };
}

async function cutRepeatedly({ prober, say }: Stage, proxy: TcpProxy, url: string): Promise<Measures> {
  let slowestMs = 0;
  for (let cut = 1; cut <= CUTS; cut += 1) {
    await proxy.cutAfter('toServer', (bytes) => bytes.includes(COMMIT));
    const cutMs = performance.now();
    slowestMs = Math.max(slowestMs, (await prober.firstGrant(cutMs, url)) - cutMs);
  }
  const unknown = await unknownOutcomes(url);
  say(`${CUTS} connections were cut after COMMIT, ${unknown} of them under a batch of the engine`);
  const none = unknown > 0 ? [] : ['no cut met a batch of the engine, so nothing was shown'];
  return {
    recoveryMs: slowestMs,
    note: `${CUTS} cuts, ${unknown} batches settled anew`,
    violations: [...tooSlow('next 201 after a cut', slowestMs, RECOVERY_MS_MAX), ...none],
  };
}

/** How many batches of the replica were sent again because the outcome of their COMMIT was not known. */
async function unknownOutcomes(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, count] = /^onepool_batch_retries_total\{[^}]*step="unknown"[^}]*\} (\d+)/m.exec(metrics) ?? [];
  return Number(count ?? 0);
}
