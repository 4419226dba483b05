/**
 * What is known of a message before it is read: its sizes, and its `authorization`, straight from the bytes of its headers.
 *
 * The client decodes headers in time that grows with the square of their number, and throws on a name that is none: a
 * stranger's message must not get that far. The client keeps a message as one piece of memory in which the body follows
 * the headers, so they are found before the body; where that should not hold one day, the client is asked after all.
 */
import type { Msg } from '@nats-io/transport-node';

export interface MessageHead {
  readonly headersBytes: number;
  readonly bodyBytes: number;
  /** Whether the headers, if any, are well formed and few. */
  readonly isWellFormed: boolean;
  /** The header `authorization` in any spelling; undefined without one. */
  readonly authorization: string | undefined;
}

/** As much as Node's HTTP server reads. */
export const HEADERS_LIMIT_BYTES = 16_384;

const BEGINNING = 'NATS/1.0';
const BLOCK = /^NATS\/1\.0[^\r\n]*\r\n(?:[!-9;-~]+:[^\r\n]*\r\n){0,64}\r\n$/;
/** Blanks around the value are left to `trim`: two quantifiers that match the same blanks take turns at them. */
const AUTHORIZATION = /\r\nauthorization:([^\r\n]*)\r\n/i;

/** The client's messages know their size, which its type does not say: subject, reply, headers and body. */
type Sized = Msg & { readonly size?: () => number };

export function headOf(message: Sized, reply: string): MessageHead {
  const body = message.data;
  const bodyBytes = body.byteLength;
  if (message.size === undefined) return { headersBytes: 0, bodyBytes, ...askTheClient(message) };
  const headersBytes = message.size() - bodyBytes - Buffer.byteLength(message.subject) - Buffer.byteLength(reply);
  const sizes = { headersBytes, bodyBytes };
  if (headersBytes <= 0) return { ...sizes, isWellFormed: true, authorization: undefined };
  if (headersBytes > HEADERS_LIMIT_BYTES || headersBytes > body.byteOffset)
    return { ...sizes, isWellFormed: false, authorization: undefined };
  const block = Buffer.from(body.buffer, body.byteOffset - headersBytes, headersBytes).toString('latin1');
  if (!block.startsWith(BEGINNING)) return { ...sizes, ...askTheClient(message) };
  return { ...sizes, isWellFormed: BLOCK.test(block), authorization: AUTHORIZATION.exec(block)?.[1]?.trim() };
}

function askTheClient(message: Msg): Pick<MessageHead, 'isWellFormed' | 'authorization'> {
  try {
    const { headers } = message;
    return {
      isWellFormed: true,
      authorization: headers?.get('authorization') || headers?.get('Authorization') || undefined,
    };
  } catch {
    return { isWellFormed: false, authorization: undefined };
  }
}
