/** What is given to make or change principals, roles and keys, and a sentence for whoever gives what cannot be. */
import { randomBytes } from 'node:crypto';
import { type Scope, isScope } from '@onepool/platform-auth';
import { OperatorError } from '@onepool/platform-config';

export type PrincipalKind = 'person' | 'service';

/** Codes of nodes or channels; null: all. */
export interface Limits {
  readonly nodes: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

export interface NewPrincipal extends Limits {
  /** Of a service: unique; lower case, digits, `.`, `_`, `-`, and nothing that begins with `onepool`. */
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly scopes: readonly Scope[];
  readonly roles: readonly string[];
}

/** What is absent stays. */
export type PrincipalChange = Partial<Omit<NewPrincipal, 'name' | 'kind'>> & { readonly isDisabled?: boolean };

export interface NewKey extends Limits {
  readonly sha256: string;
  /** Null: those of the principal. */
  readonly scopes: readonly Scope[] | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

/** What is absent stays. */
export type KeyChange = Partial<Omit<NewKey, 'sha256'>>;

const SERVICE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PERSON_NAME = /^\P{C}{1,200}$/u;
/** Under this name the system's own doings are recorded. */
const RESERVED_NAME = /^onepool(?:[._-]|$)/;
/** A name is never taken for an id. */
const ID = /^(prn|key)_/;
const ROLE_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const CODES_MAX = 2_000;
/** Those of a principal and of its key travel in one answer, and NATS takes no more than 1 MB. */
const CODES_BYTES_MAX = 200_000;

/** 60 random bits in base 32: opaque, and short. */
export function newId(prefix: 'prn' | 'key'): string {
  const digits = [...randomBytes(12)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]);
  return `${prefix}_${digits.join('')}`;
}

export function demandName(name: string, kind: PrincipalKind): void {
  const pattern = kind === 'service' ? SERVICE_NAME : PERSON_NAME;
  if (!pattern.test(name)) throw new OperatorError(`${name} is no name for a ${kind}.`);
  if (RESERVED_NAME.test(name)) throw new OperatorError(`${name} is reserved for the system itself.`);
  if (ID.test(name)) throw new OperatorError(`${name} looks like an id, which it is not.`);
}

export function demandRoleName(name: string): void {
  if (!ROLE_NAME.test(name))
    throw new OperatorError(`${name} is no name for a role: a to z, 0 to 9 and -, a letter first.`);
}

export function demandScopes(scopes: readonly string[] | null | undefined): void {
  const wrong = scopes?.filter((scope) => !isScope(scope)) ?? [];
  if (wrong.length > 0) throw new OperatorError(`No scopes: ${wrong.join(', ')}.`);
}

export function demandCodes({ nodes, channels }: Partial<Limits>): void {
  for (const codes of [nodes, channels]) {
    if (!codes) continue;
    if (codes.length > CODES_MAX) throw new OperatorError(`A limit names at most ${CODES_MAX} codes.`);
    if (Buffer.byteLength(JSON.stringify(codes)) > CODES_BYTES_MAX)
      throw new OperatorError(`The codes of a limit take at most ${CODES_BYTES_MAX} bytes.`);
  }
}
