import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Msg, type MsgHdrs, type NatsConnection, errors, headers } from '@nats-io/nats-core';
import { MsgImpl } from '@nats-io/nats-core/internal';
import { throwError } from 'rxjs';
import { JsonNatsServer } from './json-nats-server.ts';
import { STATUS_HEADER } from './json-request-reply.ts';
import type { Admission, MessageDoor } from './message-door.ts';

const SUBJECT = 'onepool.rpc.spec.echo.v1';
const KEY = 'Bearer good';
const LIMIT_BYTES = 1_000;
const text = new TextEncoder();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const refusalOf = (status: number, code: string) => ({ refusal: { status, code, title: code } }) as const;
const MISSING = refusalOf(401, 'auth.missing');
const FULL = refusalOf(429, 'limit.rate');

/** Every step of every message, in the order in which the steps were taken. */
let steps: string[];
let refused: string[];
let replies: { readonly subject: string; readonly status: string; readonly body: unknown }[];
let places: number;
let server: JsonNatsServer;
let handled: (() => Promise<unknown>) | null;

const door: MessageDoor = {
  glance: (_subject, { authorization }) => {
    steps.push('glance');
    return authorization === undefined ? MISSING.refusal : undefined;
  },
  admit: (_subject, { authorization }): Admission => {
    steps.push('admit');
    if (authorization !== KEY) return refusalOf(401, 'auth.invalid');
    if (places === 0) return FULL;
    places -= 1;
    return { mark: () => void steps.push('mark'), leave: () => void (places += 1) };
  },
};

const connection = {
  publish: (subject: string, data: string, options: { headers: MsgHdrs }) => {
    const status = options.headers.get(STATUS_HEADER);
    replies.push({ subject, status, body: JSON.parse(data) });
  },
} as unknown as NatsConnection;

class SpecServer extends JsonNatsServer {
  override unwrap<T>(): T {
    return connection as T;
  }
}

/** A message as the client's parser makes it: headers and body are one piece of memory, amid others. */
function messageOf(body: string, options: { key?: string; head?: string; reply?: string } = {}): Msg {
  const told = headers();
  if (options.key !== undefined) told.set('authorization', options.key);
  const head = options.head ?? (options.key === undefined ? '' : String(told));
  const memory = text.encode(`HMSG before\r\n${head}${body}\r\nMSG after`);
  const data = memory.subarray(13, 13 + text.encode(head + body).length);
  const [subject, reply] = [text.encode(SUBJECT), text.encode(options.reply ?? '_INBOX.1')];
  const parsed = { subject, reply, sid: 1, hdr: head === '' ? -1 : text.encode(head).length, size: data.length };
  return new MsgImpl(parsed, data, connection as never);
}

const deliver = (...messages: readonly Msg[]): void => {
  const handler = server.getMessageHandler(SUBJECT);
  for (const message of messages) handler(null, message);
};
const idle = async (): Promise<void> => {
  for (let turns = 0; turns < 40; turns++) await turn();
};

beforeEach(() => {
  [steps, refused, replies, places, handled] = [[], [], [], 2, null];
  server = new SpecServer({
    url: 'nats://spec',
    name: 'spec',
    queue: 'spec',
    door,
    bodyLimitBytes: LIMIT_BYTES,
    parse: (body) => {
      steps.push('parse');
      return JSON.parse(Buffer.from(body).toString());
    },
    onRefused: (code) => refused.push(code),
  });
  server.addHandler(SUBJECT, (body: unknown) => {
    steps.push('handle');
    return handled === null ? Promise.resolve(body) : (handled() as Promise<never>);
  });
});

describe('a message', () => {
  it('is looked at in the order size, key, door, body, and answered', async () => {
    deliver(messageOf('{"n":1}', { key: KEY }));
    await idle();
    expect(steps).toEqual(['glance', 'admit', 'mark', 'parse', 'handle']);
    expect(replies).toEqual([{ subject: '_INBOX.1', status: '200', body: { n: 1 } }]);
    expect({ refused, places }).toEqual({ refused: [], places: 2 });
  });

  it.each<[string, Msg, string, readonly string[]]>([
    ['that is too large', messageOf('x'.repeat(LIMIT_BYTES + 1), { key: KEY }), 'request.too_large', []],
    [
      'whose headers are too large',
      messageOf('{}', { head: `NATS/1.0\r\na:${'b'.repeat(20_000)}\r\n\r\n` }),
      'request.too_large',
      [],
    ],
    [
      'with a header that has no name',
      messageOf('{}', { head: `NATS/1.0\r\nauthorization: ${KEY}\r\nno name:1\r\n\r\n` }),
      'request.invalid',
      [],
    ],
    [
      'with thousands of headers',
      messageOf('{}', { head: `NATS/1.0\r\n${'a:\r\n'.repeat(3_000)}authorization: ${KEY}\r\n\r\n` }),
      'request.invalid',
      [],
    ],
    // Either would be looked at for minutes by an expression that may share blanks out in many ways.
    [
      'whose head is blanks without an end',
      messageOf('{}', { head: `NATS/1.0\r\nauthorization:${' '.repeat(16_000)}` }),
      'request.invalid',
      [],
    ],
    [
      'whose key has thousands of blanks within',
      messageOf('{}', { head: `NATS/1.0\r\n${`authorization: a${' '.repeat(4_000)}b\r\n`.repeat(4)}\r\n` }),
      'auth.invalid',
      ['glance', 'admit'],
    ],
    ['without headers', messageOf('{"half'), 'auth.missing', ['glance']],
    ['with other headers only', messageOf('{"half', { head: 'NATS/1.0\r\nx: 1\r\n\r\n' }), 'auth.missing', ['glance']],
    [
      'whose body looks like a key',
      messageOf('NATS/1.0\r\nauthorization: Bearer good\r\n\r\n'),
      'auth.missing',
      ['glance'],
    ],
    ['with a wrong key', messageOf('{"half', { key: 'Bearer bad' }), 'auth.invalid', ['glance', 'admit']],
  ])('%s is never parsed, but answered', async (_what, message, code, seen) => {
    deliver(message);
    await idle();
    expect(steps).toEqual(seen);
    expect(refused).toEqual([code]);
    expect(replies).toEqual([
      expect.objectContaining({ subject: '_INBOX.1', body: expect.objectContaining({ code }) }),
    ]);
  });

  it('is not answered onto a subject that is no inbox, whatever becomes of it', async () => {
    const reply = 'onepool.stock.forged';
    deliver(
      messageOf('1', { reply }),
      messageOf('1', { key: 'Bearer bad', reply }),
      messageOf('1', { key: KEY, reply }),
    );
    await idle();
    expect(steps.filter((step) => step === 'handle')).toHaveLength(1);
    expect(replies).toEqual([]);
  });

  it('may spell its header as it likes', async () => {
    places = 3;
    for (const name of ['authorization', 'Authorization', 'AUTHORIZATION'])
      deliver(messageOf('1', { head: `NATS/1.0\r\nx: 1\r\n${name}:${KEY}\r\ny: 2\r\n\r\n` }));
    await idle();
    expect(replies.map(({ status }) => status)).toEqual(['200', '200', '200']);
  });

  it('whose client has no place left is never parsed, and places come back whatever became of a message', async () => {
    const open: (() => void)[] = [];
    handled = () => new Promise<void>((resolve) => open.push(resolve));
    const keyed = (): Msg => messageOf('{}', { key: KEY });
    deliver(keyed(), keyed(), keyed());
    await idle();
    expect({ refused, places }).toEqual({ refused: ['limit.rate'], places: 0 });
    expect(steps.filter((step) => step === 'parse')).toHaveLength(2);
    for (const answer of open) answer();
    await idle();
    expect(places).toBe(2);
    handled = () => Promise.resolve(throwError(() => new Error('no')));
    deliver(keyed(), messageOf('{"half', { key: KEY }));
    await idle();
    expect(replies.slice(-2).map(({ status }) => status)).toEqual(expect.arrayContaining(['500', '400']));
    expect({ refused, places }).toEqual({ refused: ['limit.rate', 'request.malformed_json'], places: 2 });
  });
});

describe('a flood', () => {
  it('of messages without a key that want no answer is counted, and costs nothing else', async () => {
    deliver(...Array.from({ length: 20_000 }, () => messageOf('{"half', { reply: '' })));
    await idle();
    expect(refused).toHaveLength(20_000);
    expect(new Set(steps)).toEqual(new Set(['glance']));
    expect(replies).toEqual([]);
  });

  it('leaves the event loop its turns: each refuses or admits so many, and no more', async () => {
    places = 2_000;
    deliver(...Array.from({ length: 1_000 }, () => messageOf('1', { key: KEY })));
    const perTurn = [];
    for (let before = 0; perTurn.length < 20;) {
      const now = steps.filter((step) => step === 'admit').length;
      perTurn.push(now - before);
      before = now;
      if (now === 1_000) break;
      await turn();
    }
    expect(perTurn).toEqual([256, 256, 256, 232]);
  });

  it('with answers wanted is answered within bounds, and leaves room for messages with a key', async () => {
    const keyless = Array.from({ length: 20_000 }, () => messageOf('{"half'));
    deliver(...keyless, messageOf('"mine"', { key: KEY }));
    await idle();
    expect(refused).toHaveLength(20_000);
    expect(replies.filter(({ status }) => status === '401')).toHaveLength(256 + 1_024);
    expect(replies.at(-1)).toMatchObject({ status: '200', body: 'mine' });
  });

  it('above all bounds is shed, and what is shed is counted', async () => {
    deliver(...Array.from({ length: 10_000 }, () => messageOf('1', { key: 'Bearer bad' })));
    expect(refused.filter((code) => code === 'service.overloaded')).toHaveLength(10_000 - 256 - 8_192);
    await idle();
  });
});

describe('an answer', () => {
  it('that finds its connection closed is counted, and no error', async () => {
    const logged: unknown[] = [];
    Object.assign(server, { logger: { error: (error: unknown) => logged.push(error) } });
    const message = messageOf('1', { key: KEY });
    Object.assign(message, {
      respond: () => {
        throw new errors.ClosedConnectionError();
      },
    });
    deliver(message);
    await idle();
    expect({ refused, logged }).toEqual({ refused: ['reply.lost'], logged: [] });
  });
});
