/**
 * HTTP calls with ids that make them safe to repeat. A call is sent again, with the same id and to the next replica,
 * until it is answered or its time is up; its interval runs from the first attempt to the answer, because any of its
 * attempts may be the one that took effect. The client repeats nothing by itself: the history has to know each attempt.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Answered, type Client, NoAnswerError, type Refused, createClient } from '@onepool/client';
import { AVAILABILITY } from '@onepool/contracts';
import {
  type Interval,
  type Outage,
  OutageLog,
  backoffMs,
  callsForRetry,
  leavesOutcomeOpen,
} from '@onepool/simulator-domain';
import { SystemUnavailable } from './system-unavailable.ts';

export interface ApiClientOptions {
  /** Base URLs of the replicas; calls go round them. */
  readonly urls: readonly string[];
  readonly key: string;
  /** Connections per replica. */
  readonly connections: number;
  /** A call that is not answered within this time stays unanswered. */
  readonly retryForMs: number;
  readonly attemptTimeoutMs: number;
  /** Told when calls begin to fail; they are repeated meanwhile. */
  readonly onOutage?: () => void;
}

interface Heard {
  readonly interval: Interval;
  /** An earlier attempt got no answer: it may have taken effect, whatever this answer says. */
  readonly earlierAttemptOpen: boolean;
}
export interface GrantedCall<T> extends Heard {
  readonly kind: 'granted';
  readonly value: T;
}
export interface RefusedCall extends Heard {
  readonly kind: 'refused';
  readonly problem: Refused<string>['problem'];
}
export interface UnansweredCall {
  readonly kind: 'unanswered';
  readonly reason: string;
  readonly interval: Interval;
}
export type CallResult<T> = GrantedCall<T> | RefusedCall | UnansweredCall;

export type Onepool = Client<typeof AVAILABILITY>;
type Outcome<T> = Answered<T> | Refused<string>;
/** One attempt of a call. */
export type Send<T> = (onepool: Onepool) => Promise<Outcome<T>>;

/** What makes a call; `ApiClient` does. */
export type Caller = Pick<ApiClient, 'call'>;

export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #onepool: Onepool;
  readonly #log = new OutageLog();
  /** Attempts beyond the first, over all calls. */
  retries = 0;
  /** Calls that needed more than one. */
  callsRetried = 0;

  constructor(options: ApiClientOptions) {
    const { urls, key, connections, attemptTimeoutMs } = options;
    this.#options = options;
    this.#onepool = createClient(AVAILABILITY, {
      http: { url: urls, connections },
      apiKey: key,
      retry: false,
      timeoutMs: attemptTimeoutMs,
      attemptTimeoutMs,
    });
  }

  /** When calls failed, so far. */
  get outages(): readonly Outage[] {
    return this.#log.outages;
  }

  /** @throws SystemUnavailable when somebody answers who is not the system. */
  async call<T>(send: Send<T>): Promise<CallResult<T>> {
    const fromMs = performance.now();
    const deadline = fromMs + this.#options.retryForMs;
    let open = false;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt(send);
      const untilMs = performance.now();
      const isLost = outcome instanceof NoAnswerError;
      if (!isLost && !callsForRetry(outcome.status)) {
        const heard = { interval: { fromMs, untilMs }, earlierAttemptOpen: open };
        if (outcome.ok) return { kind: 'granted', value: outcome.value, ...heard };
        return { kind: 'refused', problem: outcome.problem, ...heard };
      }
      const refused = isLost || outcome.ok ? undefined : outcome;
      open ||= outcome.status === undefined || leavesOutcomeOpen(outcome.status, refused?.problem.code);
      const pauseMs = backoffMs(attempt, Math.random(), refused?.retryAfterSeconds);
      if (untilMs + pauseMs > deadline) {
        const reason = isLost ? outcome.message : `${outcome.status} ${refused?.problem.code}`;
        return { kind: 'unanswered', reason, interval: { fromMs, untilMs: Infinity } };
      }
      this.retries += 1;
      if (attempt === 0) this.callsRetried += 1;
      await wait(pauseMs);
    }
  }

  async close(): Promise<void> {
    await this.#onepool.close();
  }

  async #attempt<T>(send: Send<T>): Promise<Outcome<T> | NoAnswerError> {
    const sentMs = performance.now();
    const outcome = await send(this.#onepool).catch((error: unknown) => {
      if (error instanceof NoAnswerError) return error;
      throw error;
    });
    const { status } = outcome;
    const failed = status === undefined || status >= 500;
    if (this.#log.take({ sentMs, endedMs: performance.now(), failed })) this.#options.onOutage?.();
    if (outcome instanceof NoAnswerError && status !== undefined && !callsForRetry(status)) {
      throw new SystemUnavailable(outcome.message);
    }
    return outcome;
  }
}
