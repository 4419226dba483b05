/** What is said while NATS cannot be used: a sentence at once, then again ever more rarely, and one when it is over. */
import { types } from 'node:util';
import { type PermissionViolationError, errors } from '@nats-io/transport-node';
import { OperatorError } from '@onepool/platform-config';
import type { NatsTarget } from './nats-options.ts';
import type { NatsReport } from './nats-report.ts';

/** NATS could not be used within the time given; the message is the sentence for whoever started the program. */
export class NatsUnreachableError extends OperatorError {
  override readonly name = 'NatsUnreachableError';
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** So many different refusals are remembered, each to be told once. */
const DENIALS_MAX = 100;

/** Speaks of one outage after another. Times are milliseconds of a monotonic clock. */
export class NatsTrouble {
  readonly #denied = new Set<string>();
  readonly #target: NatsTarget;
  readonly #report: (report: NatsReport) => void;
  #since: number | undefined;
  #nextAt = 0;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(target: NatsTarget, report: (report: NatsReport) => void) {
    this.#target = target;
    this.#report = report;
  }

  /** NATS cannot be used at `now`, for this reason. */
  is(reason: unknown, now: number): void {
    this.#since ??= now;
    if (now < this.#nextAt) return;
    this.#nextAt = now + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#report({
      level: reason instanceof errors.AuthorizationError ? 'error' : 'warn',
      message: `${describeTrouble(reason, this.#target)} Trying on.`,
      servers: this.#target.servers,
      awaySeconds: Math.round((now - this.#since) / 1_000),
    });
  }

  /** NATS can be used again, if there was trouble at all. */
  over(now: number): void {
    if (this.#since === undefined) return;
    const awaySeconds = Math.round((now - this.#since) / 1_000);
    const { servers } = this.#target;
    this.#since = undefined;
    this.#nextAt = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#report({ level: 'info', message: `NATS at ${servers} is there.`, servers, awaySeconds });
  }

  /** The server refused to let us publish or subscribe; each subject is told of once. */
  denied({ operation, subject }: PermissionViolationError): void {
    const what = `${operation === 'publish' ? 'publish to' : 'subscribe to'} ${subject}`;
    if (this.#denied.has(what) || this.#denied.size >= DENIALS_MAX) return;
    this.#denied.add(what);
    const { servers, identity } = this.#target;
    const message = `NATS at ${servers} does not let ${identity} ${what}: the user lacks this permission.`;
    this.#report({ level: 'error', message, servers });
  }
}

/** The sentence for a failure to connect. */
export function describeTrouble(error: unknown, { servers, identity, encrypted }: NatsTarget): string {
  if (error === undefined) return `The connection to NATS at ${servers} is lost.`;
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return `NATS at ${servers} refuses ${identity}: check the user and password in NATS_URL, or the file that holds the key.`;
  }
  const { code, message } = innermost(error);
  if (message.includes(`server does not support 'tls'`)) {
    return `NATS at ${servers} speaks no TLS: write nats:// in NATS_URL and name no certificates, or switch its TLS on.`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `There is no host for NATS at ${servers}: check NATS_URL.`;
  if (code === 'ECONNREFUSED' || message === 'connection refused') {
    return `Nothing listens at ${servers}: start nats-server there, or check NATS_URL.`;
  }
  if (error instanceof errors.TimeoutError || code === 'ETIMEDOUT') {
    // A server that misses our certificate falls silent after the handshake.
    const orCertificate = encrypted
      ? ', or set NATS_CERT_FILE and NATS_KEY_FILE if it wants a certificate of ours'
      : '';
    return `NATS at ${servers} does not answer: check NATS_URL and what lies between${orCertificate}.`;
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return `The certificate of NATS at ${servers} is not trusted (${message}): name its authority's file in NATS_CA_FILE.`;
  }
  return `NATS at ${servers} cannot be used (${message || 'it closed the connection'}): check NATS_URL.`;
}

function innermost(error: unknown): { readonly code: string; readonly message: string } {
  // Node's own errors are no instances of our `Error` where we run in a context of its own, as specs do.
  if (!(error instanceof Error || types.isNativeError(error))) return { code: '', message: String(error ?? '') };
  if (error.cause !== undefined) return innermost(error.cause);
  return { code: String((error as NodeJS.ErrnoException).code ?? ''), message: error.message };
}
