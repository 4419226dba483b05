/**
 * What is known of a message before it is read: its sizes, and who sends it, straight from the bytes of its headers.
 *
 * The client decodes headers in time that grows with the square of their number, and throws on a name that is none: a
 * stranger's message must not get that far. The client keeps a message as one piece of memory in which the body follows
 * the headers, so they are found before the body; where that should not hold one day, the client is asked after all.
 */
import type { Msg } from '@nats-io/transport-node';
import type { MessageCredentials } from './message-door.ts';

export interface MessageHead {
  readonly headersBytes: number;
  readonly bodyBytes: number;
  /** Whether the headers, if any, are well formed and few. */
  readonly isWellFormed: boolean;
  readonly credentials: MessageCredentials;
}

/** As much as Node's HTTP server reads. */
export const HEADERS_LIMIT_BYTES = 16_384;

const BEGINNING = 'NATS/1.0';
const BLOCK = /^NATS\/1\.0[^\r\n]*\r\n(?:[!-9;-~]+:[^\r\n]*\r\n){0,64}\r\n$/;
/** Blanks around the value are left to `trim`: two quantifiers that match the same blanks take turns at them. */
const AUTHORIZATION = /\r\nauthorization:([^\r\n]*)\r\n/i;
const PERSON = /\r\nonepool-person:([^\r\n]*)\r\n/i;
const NOBODY: MessageCredentials = { authorization: undefined, person: undefined };

/** The client's messages know their size, which its type does not say: subject, reply, headers and body. */
type Sized = Msg & { readonly size?: () => number };

export function headOf(message: Sized, reply: string): MessageHead {
  const body = message.data;
  const bodyBytes = body.byteLength;
  if (message.size === undefined) return { headersBytes: 0, bodyBytes, ...askTheClient(message) };
  const headersBytes = message.size() - bodyBytes - Buffer.byteLength(message.subject) - Buffer.byteLength(reply);
  const sizes = { headersBytes, bodyBytes };
  if (headersBytes <= 0) return { ...sizes, isWellFormed: true, credentials: NOBODY };
  if (headersBytes > HEADERS_LIMIT_BYTES || headersBytes > body.byteOffset)
    return { ...sizes, isWellFormed: false, credentials: NOBODY };
  const block = Buffer.from(body.buffer, body.byteOffset - headersBytes, headersBytes).toString('latin1');
  if (!block.startsWith(BEGINNING)) return { ...sizes, ...askTheClient(message) };
  const valueOf = (header: RegExp): string | undefined => header.exec(block)?.[1]?.trim();
  const credentials = { authorization: valueOf(AUTHORIZATION), person: valueOf(PERSON) };
  return { ...sizes, isWellFormed: BLOCK.test(block), credentials };
}

function askTheClient(message: Msg): Pick<MessageHead, 'isWellFormed' | 'credentials'> {
  try {
    const { headers } = message;
    const authorization = headers?.get('authorization') || headers?.get('Authorization') || undefined;
    return { isWellFormed: true, credentials: { authorization, person: headers?.get('onepool-person') || undefined } };
  } catch {
    return { isWellFormed: false, credentials: NOBODY };
  }
}
