/**
 * The users of the NATS that we start, kept in the home. Their passwords are made at first need and stay the same, so a
 * service that was given one keeps working over restarts. The file holds secrets: only its owner may read it.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { APPS, streamsOf } from '@onepool/contracts';
import { OperatorError } from '@onepool/platform-config';
import { isSubject, isWithin } from './subjects.ts';

export interface NatsUserRecord {
  readonly name: string;
  /** The operator is the runtime with its tools; apps are ours; guests are other teams' services. */
  readonly kind: 'operator' | 'app' | 'guest';
  readonly password: string;
  readonly createdAt: string;
  /** Subjects of the facts that a guest reads. */
  readonly consumes?: string;
  /** Whether a guest may send requests to the apps. */
  readonly calls?: boolean;
}

/** A user cannot be added or removed as asked; the message says why. */
export class NatsUserError extends OperatorError {
  override readonly name = 'NatsUserError';
}

export const OPERATOR = 'operator';
const PASSWORD_BYTES = 24;
const GUEST_NAME = /^[a-z][a-z0-9-]{1,31}$/;

/** The users of this home, the operator and every app among them: those that are missing are made. */
export function ensureNatsUsers(file: string): readonly NatsUserRecord[] {
  const known = readUsers(file);
  const needed = [
    { name: OPERATOR, kind: 'operator' as const },
    ...APPS.map(({ name }) => ({ name, kind: 'app' as const })),
  ];
  const missing = needed.filter(({ name }) => !known.some((user) => user.name === name));
  if (missing.length === 0) return known;
  const users = [...known, ...missing.map(newUser)].sort((a, b) => RANK[a.kind] - RANK[b.kind]);
  writeUsers(file, users);
  return users;
}

/** @throws NatsUserError when the name is taken or no name for a user, or what it consumes is no subject of facts. */
export function addNatsGuest(
  file: string,
  guest: Pick<NatsUserRecord, 'name' | 'consumes' | 'calls'>,
): readonly NatsUserRecord[] {
  const users = ensureNatsUsers(file);
  if (!GUEST_NAME.test(guest.name)) {
    throw new NatsUserError(`${guest.name} is no name for a user: 2 to 32 of a to z, 0 to 9 and -, a letter first.`);
  }
  if (guest.consumes !== undefined && !(isSubject(guest.consumes) && isWithin(guest.consumes, ALL_FACTS))) {
    throw new NatsUserError(`${guest.consumes} is no subject of facts; those are ${ALL_FACTS.join(', ')}.`);
  }
  if (users.some(({ name }) => name === guest.name)) throw new NatsUserError(`There is a user ${guest.name} already.`);
  const changed = [...users, newUser({ ...guest, kind: 'guest' })];
  writeUsers(file, changed);
  return changed;
}

/** @throws NatsUserError when there is no such user, or it is one that the system needs. */
export function removeNatsGuest(file: string, name: string): readonly NatsUserRecord[] {
  const changed = withoutNatsGuest(ensureNatsUsers(file), name);
  writeUsers(file, changed);
  return changed;
}

/** The others. @throws NatsUserError when there is no such user, or it is one that the system needs. */
export function withoutNatsGuest(users: readonly NatsUserRecord[], name: string): readonly NatsUserRecord[] {
  const user = users.find((one) => one.name === name);
  if (user === undefined) throw new NatsUserError(`There is no user ${name}.`);
  if (user.kind !== 'guest') throw new NatsUserError(`${name} is one of Onepool's own users and cannot be removed.`);
  return users.filter((one) => one !== user);
}

const ALL_FACTS = APPS.flatMap(({ modules }) => streamsOf(modules)).flatMap(({ subjects }) => subjects);
const RANK = { operator: 0, app: 1, guest: 2 } as const;

function newUser(facts: Omit<NatsUserRecord, 'password' | 'createdAt'>): NatsUserRecord {
  return { ...facts, password: randomBytes(PASSWORD_BYTES).toString('base64url'), createdAt: new Date().toISOString() };
}

function readUsers(file: string): readonly NatsUserRecord[] {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { users: readonly NatsUserRecord[] }).users;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new NatsUserError(`${file} cannot be read; restore it, or remove it to make all NATS users anew.`, {
      cause: error,
    });
  }
}

function writeUsers(file: string, users: readonly NatsUserRecord[]): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.draft`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify({ users }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
