import type { Writable } from 'node:stream';
import type pg from 'pg';

/** What `pg` declares no type for: the socket of a connection. */
interface Connected {
  readonly connection?: { readonly stream?: Writable };
}

/**
 * Statements that `send` starts leave in one piece: a system call for all of them instead of one for each, which on a
 * busy machine cost more than the statements. `send` must not await between them.
 */
export function sentTogether<T>(client: pg.PoolClient, send: () => T): T {
  const stream = (client as Connected).connection?.stream;
  stream?.cork();
  try {
    return send();
  } finally {
    stream?.uncork();
  }
}
