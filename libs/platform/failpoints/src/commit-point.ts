import { failpoint } from './failpoint.ts';

/** The two moments of one commit at which a crash tells most: nothing has happened yet; all has, and nobody knows. */
export interface Commit {
  readonly before: string;
  /** Acknowledged by the database, and not yet answered to whoever asked for it. */
  readonly after: string;
}

/**
 * Names a commit. A transaction cannot be begun without one, so none is forgotten.
 *
 * @example const BATCH = commitPoint('stock.batch');
 */
export function commitPoint(name: string): Commit {
  return Object.freeze({ before: `${name}.before_commit`, after: `${name}.after_commit` });
}

/**
 * Runs what commits by itself, as a lone statement does.
 *
 * @example await committing(CLAIM, () => pool.query('UPDATE feed SET lease_until = …'));
 */
export async function committing<T>(commit: Commit, work: () => Promise<T>): Promise<T> {
  await failpoint(commit.before);
  const result = await work();
  await failpoint(commit.after);
  return result;
}
