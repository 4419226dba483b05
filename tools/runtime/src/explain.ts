/** Failures of a start that the person at the machine can mend, each in one sentence with what to do. */

import { OperatorError } from '@onepool/platform-config';

const ELSEWHERE = 'set ONEPOOL_HOME to another directory';

const BY_CODE: Readonly<Record<string, (path: string) => string>> = {
  EACCES: (path) => `This user may not write ${path}: make it theirs (chown, chmod), or ${ELSEWHERE}.`,
  EPERM: (path) => `This user may not change ${path}: make it theirs (chown, chmod), or ${ELSEWHERE}.`,
  EROFS: (path) => `${path} is on a file system that is read-only: ${ELSEWHERE}.`,
  ENOSPC: (path) => `There is no room on the disk of ${path}: make some, or ${ELSEWHERE}.`,
  EDQUOT: (path) => `The disk quota for ${path} is used up: make room, or ${ELSEWHERE}.`,
  ENOTDIR: (path) => `${path} lies below a file where a directory is needed: remove the file, or ${ELSEWHERE}.`,
  EEXIST: (path) => `${path} is a file where a directory is needed: remove it, or ${ELSEWHERE}.`,
  '28P01': (home) =>
    `PostgreSQL refuses the password in ${home}/postgres-password, with which its data were not made: ` +
    'put the right one there, or throw the data away with `npm start -- --reset`.',
  EMFILE: () => 'Too many files are open in this process: raise the limit with `ulimit -n`.',
  ENFILE: () => 'Too many files are open on this machine: end what holds them.',
};

/**
 * What to tell of a failed start: a sentence, or the stack where the fault is ours. `home` is named where the system did
 * not say which file it was.
 */
export function explain(error: unknown, home: string): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof OperatorError) return error.message;
  const { code = '', path = home } = error as NodeJS.ErrnoException;
  const sentence = BY_CODE[code]?.(path);
  return sentence === undefined ? (error.stack ?? error.message) : `${sentence} (${code})`;
}
