/** Tells other apps over NATS who is calling: answers their questions, and broadcasts every beat. */
import type { NatsConnection } from '@nats-io/transport-node';
import {
  type IdentityBeat,
  type IdentityQuestion,
  type IdentitySource,
  type IdentitySubjects,
  type WireBeat,
  isPrincipalId,
} from '@onepool/platform-auth';

export interface ServeIdentityOptions {
  /** The identity's own. Replicas share its requests as the queue `identity`. */
  readonly connection: NatsConnection;
  readonly subjects: IdentitySubjects;
  readonly source: Pick<IdentitySource, 'ask'>;
  readonly onError?: (error: unknown) => void;
}

export interface ServedIdentity {
  /** Broadcasts a beat that the source has told. */
  tell(beat: IdentityBeat, sentAtMs: number): void;
}

/** Belongs to the module, and not to the app that it is part of: when it moves out, both never answer one question. */
const QUEUE = 'identity';
const SHA256 = /^[0-9a-f]{64}$/;

/** Serves until the connection is closed. */
export function serveIdentity(options: ServeIdentityOptions): ServedIdentity {
  const { connection, subjects, source, onError = () => undefined } = options;
  connection.subscribe(subjects.verify, {
    queue: QUEUE,
    callback: (error, message) => {
      if (error || message.reply === undefined) return;
      void answer(source, message.data).then(
        (text) => void message.respond(text),
        (failure: unknown) => {
          onError(failure);
          // Why is nothing for others; that nobody knows is, at once and not after a time-out.
          message.respond(JSON.stringify({ failure: 'the identity cannot be read' }));
        },
      );
    },
  });
  return {
    tell: (beat, sentAtMs) => {
      if (connection.isClosed()) return;
      const wire: WireBeat = { ...beat, ageMs: performance.now() - sentAtMs };
      connection.publish(subjects.beat, JSON.stringify(wire));
    },
  };
}

async function answer(source: Pick<IdentitySource, 'ask'>, data: Uint8Array): Promise<string> {
  return JSON.stringify(await source.ask(questionIn(JSON.parse(Buffer.from(data).toString()))));
}

function questionIn(asked: unknown): IdentityQuestion {
  const { sha256, person } = (asked ?? {}) as { sha256?: unknown; person?: unknown };
  if (typeof sha256 === 'string' && SHA256.test(sha256)) return { sha256 };
  if (typeof person === 'string' && isPrincipalId(person)) return { person };
  throw new Error('A question about the identity names a SHA-256 or a person');
}
