/** Asks apps and servers how they are. Every question ends within seconds, and none of them throws. */
import { readNatsGreeting } from '@onepool/platform-local-servers';
import pg from 'pg';
import type { Health, RelayStatus } from './system-status.ts';

const TIMEOUT_MS = 3_000;

interface ReadinessAnswer {
  readonly checks?: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
}

/** What the app's readiness probe says; where it is not ready, which checks failed and why. */
export async function askApp(url: string): Promise<Health> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { checks = {} } = (await response.json().catch(() => ({}))) as ReadinessAnswer;
    if (response.ok) return { isHealthy: true, text: 'ready' };
    const failed = Object.entries(checks).filter(([, { status }]) => status !== 'ok');
    const reasons = failed.map(([name, { reason = 'failed' }]) => `${name}: ${reason}`);
    return { isHealthy: false, text: `not ready (${reasons.join('; ') || response.status})` };
  } catch (error) {
    return { isHealthy: false, text: `no answer (${reasonOf(error)})` };
  }
}

export async function askPostgres(url: string): Promise<Health> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return { isHealthy: true, text: 'ready', version: rows[0]?.server_version ?? '' };
  } catch (error) {
    return { isHealthy: false, text: `no answer (${reasonOf(error)})` };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether a nats-server greets, and with JetStream. Of several addresses the first that greets counts. */
export async function askNats(address: string): Promise<Health> {
  for (const part of address.split(',')) {
    const { hostname, port } = new URL(part.includes('://') ? part : `nats://${part}`);
    const greeting = await readNatsGreeting(Number(port || 4222), TIMEOUT_MS, hostname);
    if (greeting === undefined) continue;
    const { version, jetstream } = greeting;
    return jetstream
      ? { isHealthy: true, text: 'ready', version }
      : { isHealthy: false, text: 'runs without JetStream', version };
  }
  return { isHealthy: false, text: 'no answer' };
}

/** Over all replicas: facts that wait in the outbox, and for how long the oldest has. Undefined when none tells. */
export async function askRelay(urls: readonly string[], apiKey: string): Promise<RelayStatus | undefined> {
  const told = await Promise.all(urls.map((url) => readMetrics(url, apiKey)));
  const values = (name: string): readonly number[] => told.flatMap((text) => valueOf(text, name));
  const backlog = values('onepool_relay_backlog_rows');
  if (backlog.length === 0) return undefined;
  return { backlogFacts: Math.max(...backlog), lagSeconds: Math.max(0, ...values('onepool_relay_lag_seconds')) };
}

function valueOf(metrics: string, name: string): readonly number[] {
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1];
  return value === undefined ? [] : [Number(value)];
}

async function readMetrics(url: string, apiKey: string): Promise<string> {
  try {
    const headers = { authorization: `Bearer ${apiKey}` };
    const response = await fetch(`${url}/metrics`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? await response.text() : '';
  } catch {
    return '';
  }
}

/** The innermost reason; `fetch` itself only says that it failed. Never an address with a password. */
function reasonOf(error: unknown): string {
  const { cause, code, message, name } = error as NodeJS.ErrnoException;
  if (cause !== undefined) return reasonOf(cause);
  return code ?? (message || name).slice(0, 120);
}
