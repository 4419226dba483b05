import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SeedRequest } from './seed-requests.ts';
import { SeedFailed, type Sender, senderTo } from './send-request.ts';

const request: SeedRequest = { what: 'nodes', operation: 'putNodes', body: { nodes: [] } };

describe('a request of the seed', () => {
  let server: Server;
  let sender: Sender;
  const received: string[] = [];

  async function answering(answers: readonly ((response: ServerResponse) => void)[]): Promise<Sender> {
    received.length = 0;
    server = createServer((incoming, response) => {
      received.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization}`);
      answers[received.length - 1]?.(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return (sender = senderTo({ url, key: 'secret' }));
  }
  const status = (code: number, body = '') => {
    return (response: ServerResponse): void => {
      response.writeHead(code).end(body);
    };
  };

  afterEach(async () => {
    await sender.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('carries the API key', async () => {
    await (await answering([status(200, '{}')])).send(request);
    expect(received).toEqual(['PUT /v1/nodes Bearer secret']);
  });

  it('is sent again after a 503 and after a broken connection', async () => {
    await (await answering([status(503), (response) => response.destroy(), status(200, '{}')])).send(request);
    expect(received).toHaveLength(3);
  });

  it('is not sent again after a refusal, whose problem document is told', async () => {
    const refusing = await answering([status(422, '{"status":422,"code":"request.invalid","title":"Not valid"}')]);
    const sent = refusing.send(request);
    await expect(sent).rejects.toThrow(SeedFailed);
    await expect(sent).rejects.toThrow('422 request.invalid: Not valid');
    expect(received).toHaveLength(1);
  });
});
