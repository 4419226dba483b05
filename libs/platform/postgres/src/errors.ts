import { types } from 'node:util';
import pg from 'pg';

export type PgErrorKind =
  | 'unique_violation'
  | 'deadlock'
  | 'serialization'
  | 'lock_timeout'
  | 'statement_timeout'
  | 'connection'
  | 'resources'
  | 'check_violation'
  | 'other';

const KIND_BY_SQLSTATE: Readonly<Record<string, PgErrorKind>> = {
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '40001': 'serialization',
  '40P01': 'deadlock',
  '55P03': 'lock_timeout',
  '57014': 'statement_timeout',
  '25P03': 'connection', // idle_in_transaction_session_timeout ended the session
  '25P04': 'connection', // transaction_timeout ended the session
  '53300': 'connection', // too_many_connections
};

/** SQLSTATEs that begin so. Source: PostgreSQL's appendix "Error Codes". */
const KIND_BY_BEGINNING: readonly (readonly [string, PgErrorKind])[] = [
  ['08', 'connection'],
  ['57P', 'connection'], // shutting down, crashed, still starting, idle for too long, database dropped
  ['53', 'resources'], // disk full, out of memory, a configured limit reached
];

const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // the Unix socket of a server that is not up
]);

// pg reports these without a code, so its message is the only thing to go by.
const CONNECTION_MESSAGES =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|timeout expired|query read timeout|client has encountered a connection error|client was closed|not queryable/i;

/**
 * Says what went wrong in terms that a caller can act on, from the SQLSTATE, the node socket code or, where pg gives
 * neither, its message. Looks through `cause` and through the members of an `AggregateError`.
 */
export function classifyPgError(error: unknown): PgErrorKind {
  // Not `instanceof`: where modules have globals of their own, as under Jest, a socket's error is another realm's Error.
  if (!types.isNativeError(error)) return 'other';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined) {
    const kind = KIND_BY_SQLSTATE[code];
    if (kind !== undefined) return kind;
    if (SOCKET_CODES.has(code)) return 'connection';
    if (/^[0-9A-Z]{5}$/.test(code)) return KIND_BY_BEGINNING.find(([start]) => code.startsWith(start))?.[1] ?? 'other';
  }
  if (CONNECTION_MESSAGES.test(error.message)) return 'connection';
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0)
    return classifyPgError(error.errors[0]);
  return error.cause === undefined ? 'other' : classifyPgError(error.cause);
}

/**
 * Whether the same request may well succeed in a moment: the server is away, lacks something, or others were in the way.
 * Such a failure is nobody's fault; a caller is told to come again.
 */
export function isTransient(error: unknown): boolean {
  switch (classifyPgError(error)) {
    case 'connection':
    case 'resources':
    case 'lock_timeout':
    case 'statement_timeout':
    case 'deadlock':
    case 'serialization':
      return true;
    case 'unique_violation':
    case 'check_violation':
    case 'other':
      return false;
  }
}

/** Whether the server itself is at fault, so that the next statement would fare no better. */
export function isOutage(error: unknown): boolean {
  const kind = classifyPgError(error);
  return kind === 'connection' || kind === 'resources';
}

/**
 * COMMIT was sent and no answer came: the transaction may or may not have happened. The caller must find out on a new
 * connection (by its idempotency key), never assume either.
 */
export class TransactionOutcomeUnknownError extends Error {
  override readonly name = 'TransactionOutcomeUnknownError';

  constructor(cause: unknown) {
    super('The connection failed after COMMIT was sent, so the outcome of the transaction is unknown.', { cause });
  }
}

/** The server answered COMMIT with ROLLBACK, because an earlier statement had failed and its error was swallowed. */
export class TransactionRolledBackError extends Error {
  override readonly name = 'TransactionRolledBackError';

  constructor() {
    super('The transaction was rolled back at COMMIT: an earlier statement had failed and its error was ignored.');
  }
}

/**
 * True when the server itself said that the statement failed and kept the session, so that its effect is certainly
 * absent. FATAL and PANIC end the session, possibly after the commit record was written.
 */
export function isDefiniteFailure(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}
