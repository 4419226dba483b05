import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { untilReady } from './readiness.ts';
import { askApp, askNats, askRelay } from './status/ask-health.ts';

/** An app that gives these answers one after the other, the last one for ever. */
async function app(answers: readonly { status: number; body: string }[]): Promise<string> {
  let asked = 0;
  server = createServer((_request, response) => {
    const { status, body } = answers[Math.min(asked++, answers.length - 1)]!;
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let server: Server;
afterEach(() => void server.close());

const failed = (reason: string) => ({
  status: 503,
  body: JSON.stringify({ checks: { nats: { status: 'failed', reason }, database: { status: 'ok' } } }),
});
const ready = { status: 200, body: '{}' };

describe('waiting for an app', () => {
  it('says why it is not ready, once for each reason', async () => {
    const url = await app([failed('no connection'), failed('no connection'), failed('no stream'), ready]);
    const said: string[] = [];
    const signal = new AbortController().signal;
    await untilReady(url, { giveUp: () => undefined, signal, say: (line) => said.push(line) });
    expect(said).toEqual(['not ready (nats: no connection)', 'not ready (nats: no stream)']);
  });

  it('ends when it is to be given up', async () => {
    const url = await app([failed('no connection')]);
    const waiting = { giveUp: () => new Error('it ended'), signal: new AbortController().signal, say: () => undefined };
    await expect(untilReady(url, waiting)).rejects.toThrow('it ended');
  });
});

describe('asking how something is', () => {
  it('takes an app that does not answer in its own words for not ready, and says what it did', async () => {
    expect(await askApp(await app([{ status: 500, body: 'oops' }]))).toEqual({
      isHealthy: false,
      text: 'not ready (500)',
    });
  });

  it('names the reason when nothing answers', async () => {
    const url = await app([ready]);
    server.close();
    expect(await askApp(url)).toEqual({ isHealthy: false, text: 'no answer (ECONNREFUSED)' });
    expect(await askNats(url.replace('http', 'nats'))).toEqual({ isHealthy: false, text: 'no answer' });
  });

  it('reads the largest backlog and lag of all replicas, and nothing where none tells them', async () => {
    const metrics = 'onepool_relay_backlog_rows 7\nonepool_relay_lag_seconds{instance="a"} 1.5\n';
    expect(await askRelay([await app([{ status: 200, body: metrics }])], 'key')).toEqual({
      backlogFacts: 7,
      lagSeconds: 1.5,
    });
    server.close();
    expect(await askRelay([await app([{ status: 401, body: '' }])], 'key')).toBeUndefined();
  });
});
