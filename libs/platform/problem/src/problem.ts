/** What kind of failure a problem code stands for. */
export interface ProblemDefinition {
  /** The HTTP status. */
  readonly status: number;
  /** A short summary that is the same for every occurrence. */
  readonly title: string;
  /** True if the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** Sent as `Retry-After` unless the occurrence says otherwise; whole seconds. */
  readonly retryAfterSeconds?: number;
}

/** One thing that is wrong: at a JSON pointer within the request, or in a line of an uploaded file. */
export interface ProblemItem {
  /** JSON pointer (RFC 6901); the empty string is the whole document. */
  readonly path?: string;
  /** Line of an uploaded file, counted from 1. */
  readonly line?: number;
  /** Stable, for programs. */
  readonly code: string;
  /** For people; may be reworded at any time. */
  readonly message: string;
}

/** A problem document (RFC 9457) as it goes over the wire, with `code` as the member that programs should read. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly errors?: readonly ProblemItem[];
  readonly [extension: string]: unknown;
}

/** What one occurrence adds to its code. */
export interface ProblemOptions {
  /** What happened this time, for people. Never put a secret or an internal message in it. */
  readonly detail?: string;
  readonly instance?: string;
  readonly errors?: readonly ProblemItem[];
  /** Whole seconds; sent as the `Retry-After` header and as `retryAfterSeconds`. */
  readonly retryAfterSeconds?: number;
  /** More HTTP response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the document. They never replace the standard ones. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** The error behind it: logged, never sent. */
  readonly cause?: unknown;
}

const TYPE_BASE = 'https://onepool.dev/problems/';

/** The stable URI that names a problem code: `stock.insufficient` → `https://onepool.dev/problems/stock.insufficient`. */
export function problemType(code: string): string {
  return TYPE_BASE + code;
}

/** An expected failure on its way to a caller: throw it anywhere below an edge, and the edge answers with its document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly detail: string | undefined;
  readonly errors: readonly ProblemItem[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly instance: string | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(code: string, definition: ProblemDefinition, options: ProblemOptions = {}) {
    super(options.detail ?? definition.title, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = definition.status;
    this.title = definition.title;
    this.retryable = definition.retryable;
    this.retryAfterSeconds = options.retryAfterSeconds ?? definition.retryAfterSeconds;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.instance = options.instance;
    this.extensions = options.extensions ?? {};
  }

  /** The document to send. `retryable` and `retryAfterSeconds` are in it because NATS callers see no HTTP headers. */
  toProblem(): Problem {
    return {
      ...this.extensions,
      type: problemType(this.code),
      title: this.title,
      status: this.status,
      code: this.code,
      retryable: this.retryable,
      ...(this.detail !== undefined && { detail: this.detail }),
      ...(this.instance !== undefined && { instance: this.instance }),
      ...(this.errors !== undefined && { errors: this.errors }),
      ...(this.retryAfterSeconds !== undefined && { retryAfterSeconds: this.retryAfterSeconds }),
    };
  }
}
