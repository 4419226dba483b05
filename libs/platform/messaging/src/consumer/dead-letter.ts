import { randomUUID } from 'node:crypto';
import { jetstream, type JsMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { ensureStream } from '../nats/streams.ts';
import type { DeadLetter } from './consumer-options.ts';
import type { ConsumerSettings } from './consumer-settings.ts';

export const DEAD_LETTER_STREAM = 'ONEPOOL_DEAD';
const DEAD_LETTER_SUBJECTS = ['onepool.dead.>'];

/** Where the dead letters of a durable go; `*` stands for all durables. */
export const deadLetterSubject = (durable: string): string => `onepool.dead.${durable}`;

const DEAD_LETTER_DAYS = 90;
/**
 * Every guest may publish letters, and shares the disk with the facts. A letter holds a whole message, so none may be refused
 * that the server took as a fact: our own takes 8 MB.
 */
const DEAD_LETTER_BOUNDS = { maxBytes: 256 * 2 ** 20, maxMessageBytes: 8 * 2 ** 20, maxMessagesPerSubject: 10_000 };
const MAX_REASON_LENGTH = 500;
/** The stream compares the ids of all who write letters: one that others could guess could be taken before. */
const WRITER = randomUUID();

export async function ensureDeadLetterStream(connection: NatsConnection): Promise<void> {
  const manager = await jetstream(connection).jetstreamManager(false);
  await ensureStream(manager, {
    name: DEAD_LETTER_STREAM,
    subjects: DEAD_LETTER_SUBJECTS,
    maxAgeDays: DEAD_LETTER_DAYS,
    bounds: DEAD_LETTER_BOUNDS,
    // Who has dealt with a letter may throw it away.
    allowsRemoval: true,
  });
}

/**
 * Copies a message, with its headers and the reason, to `onepool.dead.<durable>`, then tells the hook, then ends its
 * deliveries. If a step fails the message stays where it was, and the whole is tried again at its next delivery; one that another
 * process makes leaves a second copy.
 */
export async function buryMessage(settings: ConsumerSettings, message: JsMsg, letter: DeadLetter): Promise<void> {
  if (!settings.provisioned) await ensureDeadLetterStream(settings.connection);
  await jetstream(settings.connection).publish(deadLetterSubject(settings.durable), message.data, {
    headers: deadLetterHeaders(message.headers, letter),
    msgID: `${WRITER}:${settings.durable}:${letter.stream}:${letter.streamSequence}`,
  });
  await settings.hooks.onDeadLetter?.(letter);
  // Without a reason: nats-server 2.9 does not understand one.
  message.term();
}

function deadLetterHeaders(original: MsgHdrs | undefined, letter: DeadLetter): MsgHdrs {
  const result = headers();
  for (const name of original?.keys() ?? []) {
    // The server's own headers steer publishing, and would do so again.
    if (name.toLowerCase().startsWith('nats-')) continue;
    for (const value of original?.values(name) ?? []) result.append(name, value);
  }
  result.set('onepool-dead-reason', letter.reason);
  result.set('onepool-dead-error', oneLine(letter.error));
  result.set('onepool-dead-subject', letter.subject);
  result.set('onepool-dead-stream', letter.stream);
  result.set('onepool-dead-sequence', String(letter.streamSequence));
  result.set('onepool-dead-deliveries', String(letter.deliveries));
  return result;
}

/** A header value cannot hold line ends, and should not hold a whole page. */
function oneLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_REASON_LENGTH);
}
