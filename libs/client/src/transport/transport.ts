/** How one attempt of a call reaches an app and comes back, over HTTP or NATS. */
import type { Operation } from '@onepool/contracts';
import type { StreamBody } from '../operation-types.ts';

/** A call without its types. */
export interface AnyRequest {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly contentEncoding?: string;
}

export interface Attempt {
  readonly operation: Operation;
  readonly request: AnyRequest;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined waits for as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Reply {
  readonly status: number;
  /** Undefined where the answer is no JSON. */
  readonly body: unknown;
  readonly retryAfterSeconds: number | undefined;
}

export interface Transport {
  /** @throws LostError when no answer came; the reason of `signal` when that ends it. */
  send(attempt: Attempt): Promise<Reply>;
  close(): Promise<void>;
}

/** An attempt that got no answer. */
export class LostError extends Error {
  override readonly name = 'LostError';
  /** False where the app certainly never got it. */
  readonly wasSent: boolean;

  constructor(message: string, options: ErrorOptions & { readonly wasSent: boolean }) {
    super(message, options);
    this.wasSent = options.wasSent;
  }
}

/** The call cannot be put on its way as it is: a fault of the caller's, found before anything is sent. */
export class UnsendableError extends Error {
  override readonly name = 'UnsendableError';
}

export const isText = (body: unknown): body is string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array;

/** Whether a body can be sent a second time. */
export const isRepeatable = (operation: Operation, body: unknown): boolean =>
  operation.stream === undefined || isText(body) || typeof (body as StreamBody) === 'function';

export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
