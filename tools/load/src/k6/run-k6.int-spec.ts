/** k6 itself, running the flash sale's scenario as it stands against a shop of a few lines. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FoundProgram } from '@onepool/platform-local-servers';
import { parseHistory } from '../flash-sale/call-record.ts';
import { QUICK_K6_SOURCES, findK6 } from './find-k6.ts';
import { readK6Summary } from './k6-summary.ts';
import { HISTORY_FILE, runK6, writeRunFile } from './run-k6.ts';

const UNITS = 3;
const BUYERS = 40;
const K6_DEADLINE_MS = 60_000;
const found = await findK6({}, QUICK_K6_SOURCES).catch((error: Error) => error.message);
// Building k6 takes minutes, which a test must not.
if (typeof found === 'string') console.warn(`Skipped: ${found}`);
const withK6 = typeof found === 'string' ? it.skip : it;

interface Shop {
  readonly server: Server;
  readonly url: string;
  /** Bodies of holds, by reservation id, as often as they came. */
  readonly asked: Map<string, number>;
}

/** Grants three units, refuses the rest, and lets the first attempt of the buyer called b5 wait. */
async function openShop(): Promise<Shop> {
  const asked = new Map<string, number>();
  const granted = new Set<string>();
  const answer = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (request.url !== '/v1/reservations') return answer(response, 200, { recordedAt: '2026-01-01T00:00:00Z' });
    const { id } = JSON.parse(text) as { id: string };
    asked.set(id, (asked.get(id) ?? 0) + 1);
    if (id === 'b5' && asked.get(id) === 1) return;
    if (granted.size >= UNITS && !granted.has(id)) return answer(response, 409, { code: 'stock.insufficient' });
    granted.add(id);
    answer(response, 201, { id, lines: [] });
  };
  const server = createServer((request, response) => void hear(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('runK6', () => {
  let shop: Shop;
  let folder: string;
  const run = (url: string, say: (line: string) => void): Promise<number> => {
    writeRunFile(folder, 'target.json', { urls: [url], key: 'k', attemptTimeoutMs: 10_000, attempts: 3 });
    const { path: k6 } = found as FoundProgram;
    const signal = new AbortController().signal;
    return runK6({ k6, scenario: 'flash-sale.ts', folder, onLine: say, signal });
  };
  beforeAll(async () => {
    shop = await openShop();
    folder = mkdtempSync(join(tmpdir(), 'onepool-load-spec-'));
    const stages = [{ target: 50, duration: '2000ms' }];
    // More than ever arrive: however slow the machine is, no arrival is dropped for want of a virtual user.
    const timing = { expiresInSeconds: 2, durationSeconds: 2, stages, buyersAtOnceMax: 2 * BUYERS };
    writeRunFile(folder, 'sale.json', { sku: 'A', ...timing });
    const buyers = Array.from({ length: BUYERS }, (_, index) => ({
      id: `b${index}`,
      channel: 'web',
      fate: 'abandon',
      thinkSeconds: 0,
      ...(index === 5 ? { patienceMs: 50 } : {}),
    }));
    writeRunFile(folder, 'buyers.json', buyers);
    writeRunFile(folder, 'counter-sales.json', [{ id: 'pos0', node: 'n1', quantity: 1 }]);
  });
  afterAll(async () => {
    shop.server.closeAllConnections();
    shop.server.close();
    await rm(folder, { recursive: true, force: true });
  });

  withK6(
    'runs the scenario without compiling it, and its history has every call with its attempts',
    async () => {
      const lines: string[] = [];
      expect(await run(shop.url, (line) => lines.push(line))).toBe(0);
      const records = parseHistory(readFileSync(join(folder, HISTORY_FILE), 'utf8'));
      expect(readK6Summary(folder).counterOf('calls_recorded')).toBe(records.length);
      const holds = records.filter(({ kind }) => kind === 'hold');
      expect(holds.map(({ id }) => id).sort()).toEqual([...shop.asked.keys()].sort());
      expect(holds.filter(({ body }) => body !== null)).toHaveLength(UNITS);
      expect(holds.find(({ id }) => id === 'b5')?.statuses[0]).toBe(0);
      // On a busy machine others may wait in vain too: k6 says so of each such attempt, and the history has them all.
      const unanswered = records.flatMap(({ statuses }) => statuses.filter((status) => status === 0));
      expect(lines).toEqual(unanswered.map(() => 'Request Failed'));
      const attempts = holds.reduce((sum, { statuses }) => sum + statuses.length, 0);
      expect([...shop.asked.values()].reduce((sum, times) => sum + times, 0)).toBeLessThanOrEqual(attempts);
    },
    K6_DEADLINE_MS,
  );

  withK6(
    'refuses to send load to another machine',
    async () => {
      const lines: string[] = [];
      expect(await run('http://192.0.2.1:80', (line) => lines.push(line))).not.toBe(0);
      expect(lines.join('\n')).toContain('load goes to loopback addresses only');
    },
    K6_DEADLINE_MS,
  );
});
