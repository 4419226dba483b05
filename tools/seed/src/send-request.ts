import { NoAnswerError, type Outcome, RefusedError, createClient, valueOf } from '@onepool/client';
import { AVAILABILITY, type Operation } from '@onepool/contracts';
import type { SeedRequest } from './seed-requests.ts';

const ATTEMPTS_MAX = 8;
const ANSWER_WITHIN_MS = 30_000;

/** The API refused a request, or could not be reached. The message says what of it was wrong. */
export class SeedFailed extends Error {
  override readonly name = 'SeedFailed';
}

export interface Target {
  readonly url: string;
  readonly key: string;
}

export interface Sender {
  /** Sends one request until it is applied. @throws SeedFailed on a refusal, or when the API stays away. */
  send(request: SeedRequest): Promise<void>;
  close(): Promise<void>;
}

export function senderTo({ url, key }: Target): Sender {
  const onepool = createClient(AVAILABILITY, {
    http: { url },
    apiKey: key,
    retry: { attemptsMax: ATTEMPTS_MAX },
    attemptTimeoutMs: ANSWER_WITHIN_MS,
    timeoutMs: ATTEMPTS_MAX * ANSWER_WITHIN_MS,
  });
  return {
    async send({ operation, body }) {
      // The body belongs to the operation, which the compiler cannot follow through a choice of both.
      const call = onepool[operation] as (request: { body: SeedRequest['body'] }) => Promise<Outcome<Operation>>;
      try {
        valueOf(await call({ body }));
      } catch (cause) {
        if (!(cause instanceof RefusedError || cause instanceof NoAnswerError)) throw cause;
        throw new SeedFailed(`${operation} at ${url}: ${cause.message}`, { cause });
      }
    },
    close: () => onepool.close(),
  };
}
