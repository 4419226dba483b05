import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { awaitReady } from './await-ready.ts';
import { SystemUnavailable } from './system-unavailable.ts';

const NOT_READY = { checks: { postgres: { status: 'failed' }, nats: { status: 'ok' } } };

describe('awaitReady', () => {
  let server: Server;
  let url = '';
  let refusals = 0;
  let probes = 0;
  const said: string[] = [];
  beforeEach(async () => {
    probes = 0;
    said.length = 0;
    server = createServer((_, response) => {
      probes += 1;
      const isReady = probes > refusals;
      response.writeHead(isReady ? 200 : 503, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isReady ? { status: 'ready' } : NOT_READY));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const patience = (patienceMs: number) => ({ patienceMs, say: (line: string) => void said.push(line) });

  it('says nothing when the system is ready', async () => {
    refusals = 0;
    await awaitReady([url], patience(60_000));
    expect([probes, said]).toEqual([1, []]);
  });

  it('waits for a system that is not ready yet, says for what, and goes on once it is', async () => {
    refusals = 3;
    await awaitReady([url], patience(60_000));
    expect(probes).toBe(4);
    expect(said[0]).toContain(`waiting: ${url} is not ready (503: postgres)`);
    expect(said.at(-1)).toMatch(/^ready after \d+ s$/);
  });

  it('gives up with the reason when the time is over', async () => {
    refusals = Infinity;
    await expect(awaitReady([url], patience(0))).rejects.toThrow('is not ready (503: postgres), and was not ready');
  });

  it('tells a replica that does not answer beside one that is ready', async () => {
    refusals = 0;
    const dead = 'http://127.0.0.1:1';
    await expect(awaitReady([url, dead], patience(0))).rejects.toThrow(SystemUnavailable);
    await expect(awaitReady([url, dead], patience(0))).rejects.toThrow(`${dead} does not answer`);
  });
});
