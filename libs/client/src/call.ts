/** One call: its attempts, and what became of them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Operation } from '@onepool/contracts';
import { type Answered, NoAnswerError, type Refused } from './outcome.ts';
import { type RetryOptions, asksForRepeat, isProblem, leavesOutcomeOpen, pauseMsAfter } from './repeating.ts';
import { type AnyRequest, LostError, type Reply, type Transport, isRepeatable } from './transport/transport.ts';

export interface CallOptions {
  /** Ends the call, which then throws the signal's reason; whether it took effect is open. */
  readonly signal?: AbortSignal;
  /** For all attempts and the pauses between them. */
  readonly timeoutMs?: number;
  /**
   * When the request was written, by the clock that its times are of: the till's, not that of who passes it on. Only movements,
   * shipments and feeds take it; see `onepool-sent-at`.
   */
  readonly sentAt?: Date;
}

export interface CallSettings {
  readonly transport: Transport;
  /** Also the key. Told anew for each attempt. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly retry: Required<RetryOptions>;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
}

/** With less time left, an attempt could only be lost. */
const SHORTEST_ATTEMPT_MS = 5;

type AnyOutcome = Answered<unknown> | Refused<string>;

export async function makeCall(
  settings: CallSettings,
  name: string,
  operation: Operation,
  request: AnyRequest,
  options: CallOptions,
): Promise<AnyOutcome> {
  const { transport, headers, retry } = settings;
  const { signal } = options;
  const sentAt: Readonly<Record<string, string>> =
    operation.saysSentAt && options.sentAt ? { 'onepool-sent-at': options.sentAt.toISOString() } : {};
  const isRead = operation.http.method === 'GET';
  const attemptsMax =
    (isRead || operation.idempotency !== undefined) && isRepeatable(operation, request.body) ? retry.attemptsMax : 1;
  const limits = limitsOf(operation, settings, options);
  let isOpen = false;
  for (let number = 1; ; number += 1) {
    signal?.throwIfAborted();
    const timeoutMs = limits.attemptMs();
    const result = await transport
      .send({ operation, request, headers: { ...headers(), ...sentAt }, timeoutMs, signal })
      .catch((error: unknown) => {
        if (error instanceof LostError) return error;
        throw error;
      });
    const isLost = result instanceof LostError;
    if (!isLost && isAnswer(result)) return { ok: true, status: result.status, value: result.body };
    isOpen ||= isLost ? result.wasSent : leavesOutcomeOpen(result);
    const retryAfterSeconds = isLost ? undefined : result.retryAfterSeconds;
    const pauseMs = pauseMsAfter(number, Math.random(), retryAfterSeconds, retry);
    const isLast =
      number >= attemptsMax || !(isLost || asksForRepeat(result)) || limits.leftMs() < pauseMs + SHORTEST_ATTEMPT_MS;
    if (isLast) return conclude(name, result, isOpen && !isRead);
    await pause(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** How much time is left. What is sent as it comes takes as long as it takes, unless the call says otherwise. */
function limitsOf(operation: Operation, settings: CallSettings, options: CallOptions) {
  const isStream = operation.stream !== undefined;
  const timeoutMs = options.timeoutMs ?? (isStream ? undefined : settings.timeoutMs);
  if (timeoutMs === undefined) return { attemptMs: () => undefined, leftMs: () => Infinity };
  const deadlineMs = performance.now() + timeoutMs;
  const leftMs = (): number => deadlineMs - performance.now();
  const mostMs = isStream ? Infinity : settings.attemptTimeoutMs;
  return { attemptMs: () => Math.ceil(Math.max(SHORTEST_ATTEMPT_MS, Math.min(mostMs, leftMs()))), leftMs };
}

const isAnswer = ({ status, body }: Reply): boolean => status >= 200 && status < 300 && body !== undefined;

/** @throws NoAnswerError unless the app has answered. */
function conclude(name: string, result: Reply | LostError, mayHaveTakenEffect: boolean): Refused<string> {
  if (result instanceof LostError) {
    throw new NoAnswerError(`${name}: ${result.message}`, { cause: result.cause, mayHaveTakenEffect });
  }
  const { status, body, retryAfterSeconds } = result;
  if (isProblem(body)) return { ok: false, status, problem: body, retryAfterSeconds, mayHaveTakenEffect };
  throw new NoAnswerError(`${name}: answered ${status}, and not by the app`, { status, mayHaveTakenEffect });
}
