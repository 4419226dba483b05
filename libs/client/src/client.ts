/** The typed client of one app. */
import type { NatsConnection } from '@nats-io/transport-node';
import type { AppContract, Operation } from '@onepool/contracts';
import { traceHeaders } from '@onepool/platform-tracing';
import { type CallOptions, type CallSettings, makeCall } from './call.ts';
import type { RequestOf } from './operation-types.ts';
import type { Outcome } from './outcome.ts';
import { RETRY_DEFAULTS, type RetryOptions } from './repeating.ts';
import { type HttpOptions, HttpTransport } from './transport/http-transport.ts';
import { NatsTransport } from './transport/nats-transport.ts';
import type { AnyRequest } from './transport/transport.ts';

export interface ClientOptions {
  readonly apiKey: string;
  /** `false` makes one attempt of each call, for callers that keep their own account of attempts. */
  readonly retry?: RetryOptions | false;
  /** For a call with all its attempts, 30 s unless told. Streams take as long as they take. */
  readonly timeoutMs?: number;
  /** For one attempt, 10 s unless told. */
  readonly attemptTimeoutMs?: number;
  /** More headers, asked for at each attempt: `onepool-person` says for whom a service acts. The trace is passed on by itself. */
  readonly headers?: () => Readonly<Record<string, string>>;
}
export interface OverHttp {
  readonly http: HttpOptions;
}
export interface OverNats {
  /** Stays the caller's: the client does not close it. */
  readonly nats: NatsConnection;
}

type Calling<O extends Operation> =
  Partial<RequestOf<O>> extends RequestOf<O>
    ? (request?: RequestOf<O>, options?: CallOptions) => Promise<Outcome<O>>
    : (request: RequestOf<O>, options?: CallOptions) => Promise<Outcome<O>>;

/** Each operation of a contract as a function. `Offered` leaves out those that the way has not got. */
export type Client<C extends AppContract, Offered = Operation> = {
  readonly [K in keyof C['operations'] as C['operations'][K] extends Offered ? K : never]: Calling<C['operations'][K]>;
} & { close(): Promise<void> };

/** The operations that can be called over NATS. */
export type NatsClient<C extends AppContract> = Client<C, { readonly subject: string }>;

const TIMEOUT_MS = 30_000;
const ATTEMPT_TIMEOUT_MS = 10_000;

/**
 * A client of the app that the contract describes.
 *
 * An answer is returned, also where it is a refusal; that none came is thrown, as a `NoAnswerError`.
 *
 * @example
 * const onepool = createClient(AVAILABILITY, { http: { url: 'http://127.0.0.1:3001' }, apiKey });
 * const held = await onepool.hold({ body: { id, channel: 'web', lines: [{ sku: 'mug', quantity: 2 }] } });
 */
export function createClient<const C extends AppContract>(contract: C, options: ClientOptions & OverHttp): Client<C>;
export function createClient<const C extends AppContract>(
  contract: C,
  options: ClientOptions & OverNats,
): NatsClient<C>;
export function createClient(contract: AppContract, options: ClientOptions & (OverHttp | OverNats)): unknown {
  const settings = settingsOf(options);
  const isOffered = ({ subject }: Operation): boolean => 'http' in options || subject !== undefined;
  const calls = Object.entries(contract.operations)
    .filter(([, operation]) => isOffered(operation))
    .map(([name, operation]) => {
      if (name === 'close') throw new Error(`${contract.title} has an operation \`close\`, which every client has.`);
      const call = (request: AnyRequest = {}, how: CallOptions = {}) =>
        makeCall(settings, name, operation, request, how);
      return [name, call] as const;
    });
  return { ...Object.fromEntries(calls), close: () => settings.transport.close() };
}

function settingsOf({ apiKey, retry, headers, ...options }: ClientOptions & (OverHttp | OverNats)): CallSettings {
  // Whoever refuses a header tells what it holds.
  if (!/^[!-~]+$/.test(apiKey)) throw new Error('An API key is one word of printable ASCII.');
  const authorization = `Bearer ${apiKey}`;
  return {
    transport: 'http' in options ? new HttpTransport(options.http) : new NatsTransport(options.nats),
    headers: () => ({ ...traceHeaders(), ...headers?.(), authorization }),
    retry: retry === false ? { ...RETRY_DEFAULTS, attemptsMax: 1 } : { ...RETRY_DEFAULTS, ...retry },
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    attemptTimeoutMs: options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS,
  };
}
