import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseMessage, toMessageHeaders, UnparsableMessageError, type FactEvent } from './cloud-event.ts';

const event: FactEvent = {
  id: 'evt-1',
  type: 'onepool.stock.sku.changed.v1',
  source: '/onepool/stock',
  time: '2026-03-01T10:00:00.000Z',
  subject: 'onepool.stock.sku.changed.v1',
  key: 'sku/85123A',
  trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  data: { toVersion: 7 },
};
const encode = (body: string): Uint8Array => new TextEncoder().encode(body);

describe('CloudEvents in NATS binary mode', () => {
  it('reads back what it wrote', () => {
    const message = {
      subject: event.subject,
      headers: toMessageHeaders(event),
      data: encode(JSON.stringify(event.data)),
    };
    expect(parseMessage(message)).toEqual(event);
  });

  it('tells of the stream: the epoch in a header of its own, the place as the stream has it', () => {
    const headers = toMessageHeaders({ ...event, streamEpoch: 3 });
    expect(headers.get('ce-streamepoch')).toBe('3');
    expect(parseMessage({ subject: event.subject, headers, data: encode('{}'), seq: 8 })).toMatchObject({
      streamEpoch: 3,
      streamSequence: 8,
    });
    headers.set('ce-streamepoch', 'three');
    expect(() => parseMessage({ subject: event.subject, headers, data: encode('{}') })).toThrow(UnparsableMessageError);
  });

  it('carries any key in visible ASCII, encoded as CloudEvents says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
        const headers = toMessageHeaders({ ...event, key });
        expect(headers.get('ce-partitionkey')).toMatch(/^[!#-~]+$/);
        expect(headers.get('ce-subject')).toBe(headers.get('ce-partitionkey'));
        expect(parseMessage({ subject: event.subject, headers, data: encode('{}') }).key).toBe(key);
      }),
    );
    expect(toMessageHeaders({ ...event, key: '5" Rohr Ø/50%' }).get('ce-partitionkey')).toBe(
      '5%22%20Rohr%20%C3%98/50%25',
    );
  });

  it('refuses a body that is not JSON, bytes that are not UTF-8, and a message without its headers', () => {
    const headers = toMessageHeaders(event);
    const unencoded = toMessageHeaders(event);
    unencoded.set('ce-partitionkey', '50%');
    const messages = [
      { subject: 's', headers, data: encode('{"to') },
      { subject: 's', headers, data: new Uint8Array([0x22, 0xff, 0x22]) },
      { subject: 's', headers: undefined, data: encode('{}') },
      { subject: 's', headers: unencoded, data: encode('{}') },
    ];
    for (const message of messages) expect(() => parseMessage(message)).toThrow(UnparsableMessageError);
  });
});
