import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SeedRequest } from './seed-requests.ts';
import { SeedFailed, sendRequest } from './send-request.ts';

const request: SeedRequest = { what: 'nodes', method: 'PUT', path: '/v1/nodes', body: { nodes: [] } };

describe('a request of the seed', () => {
  let server: Server;
  const received: string[] = [];

  async function answering(answers: readonly ((response: ServerResponse) => void)[]): Promise<string> {
    received.length = 0;
    server = createServer((incoming, response) => {
      received.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization}`);
      answers[received.length - 1]?.(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const status = (code: number, body = '') => {
    return (response: ServerResponse): void => {
      response.writeHead(code).end(body);
    };
  };

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('carries the API key', async () => {
    await sendRequest({ url: await answering([status(200)]), key: 'secret' }, request);
    expect(received).toEqual(['PUT /v1/nodes Bearer secret']);
  });

  it('is sent again after a 503 and after a broken connection', async () => {
    const url = await answering([status(503), (response) => response.destroy(), status(201)]);
    await sendRequest({ url, key: 'secret' }, request);
    expect(received).toHaveLength(3);
  });

  it('is not sent again after a refusal, whose problem document is told', async () => {
    const url = await answering([status(422, '{"code":"request.invalid"}')]);
    await expect(sendRequest({ url, key: 'secret' }, request)).rejects.toThrow(SeedFailed);
    expect(received).toHaveLength(1);
  });
});
