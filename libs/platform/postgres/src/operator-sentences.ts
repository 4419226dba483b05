/** What PostgreSQL refuses, in the words of whoever has to mend it. */
import { OperatorError } from '@onepool/platform-config';
import pg from 'pg';
import { classifyPgError } from './errors.ts';

/** An address of PostgreSQL and the setting it came from. */
export interface Address {
  readonly url: string;
  /** `DATABASE_URL`, for the sentence. */
  readonly setting: string;
}

/** The refusal as a sentence for the operator; anything that is not about the address, the role or its rights as it is. */
export function explained(error: unknown, { url, setting }: Address): unknown {
  const because = (sentence: string): OperatorError => new OperatorError(sentence, { cause: error });
  const to = partsOf({ url, setting });
  const at = `PostgreSQL at ${to.host}:${to.port}`;
  switch (sqlStateOf(error)) {
    case '28P01':
    case '28000':
      return because(
        `${at} refuses the role ${to.user} (${messageOf(error)}): correct user and password in ${setting}.`,
      );
    case '3D000':
      return because(`${at} has no database ${to.database}: create it, or correct ${setting}.`);
    case '42501':
      return because(
        `The role ${to.user} of ${setting} lacks a right (${messageOf(error)}): name the owner of the schema in DATABASE_OWNER_URL, ` +
          `or have a database administrator give it what it lacks (GRANT CREATE ON DATABASE ${to.database}, REASSIGN OWNED BY).`,
      );
    case '3F000':
    case '42P01':
      return because(
        `The schema is not there yet (${messageOf(error)}): run this app's migrate, with DATABASE_OWNER_URL.`,
      );
    default:
      if (classifyPgError(error) !== 'connection') return error;
      return because(`${at} does not answer (${messageOf(error)}): start it, or correct ${setting}.`);
  }
}

/** User, password, host, port and database, with pg's own defaults for what the address leaves out. */
export function partsOf({ url, setting }: Address): pg.Client {
  try {
    return new pg.Client({ connectionString: url });
  } catch (cause) {
    throw new OperatorError(`${setting} is no address like postgres://user:password@host:5432/database.`, { cause });
  }
}

export const sqlStateOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;

/** The first message there is: those of sockets that tried several addresses come in a bundle without one of its own. */
function messageOf(error: unknown): string {
  const { message, errors } = error as { readonly message?: string; readonly errors?: readonly unknown[] };
  return message || (errors?.[0] === undefined ? String(error) : messageOf(errors[0]));
}
