/**
 * Accounts and users of our own nats-server, as the part of its configuration that may change while it runs.
 *
 * The part ends with a user whose password is the fingerprint of all the rest and who may do nothing. Whoever can log
 * in as that user knows that the server has loaded exactly this part, which no signal and no log line would prove.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

/** Who may publish, or subscribe to, what. Subjects as the server matches them; `subject queue` names a queue. */
export interface NatsSubjects {
  readonly allow: readonly string[];
  readonly deny?: readonly string[];
}

export interface NatsPermissions {
  readonly publish: NatsSubjects;
  readonly subscribe: NatsSubjects;
  /** Whether a message's receiver may answer on its reply subject, once and within two minutes. */
  readonly allowResponses?: boolean;
}

export interface NatsUser {
  readonly name: string;
  readonly password: string;
  /** Everything within the account unless told. */
  readonly permissions?: NatsPermissions;
}

/** A closed room within the server: subjects and streams of one account cannot be seen from another. */
export interface NatsAccount {
  readonly name: string;
  /** Whether the account may have streams; true unless told. */
  readonly jetstream?: boolean;
  readonly users: readonly NatsUser[];
  /** What other accounts may ask of this one. */
  readonly exports?: readonly NatsExport[];
  readonly imports?: readonly NatsImport[];
}

/** Requests that an account answers for others. The server puts a subject of its own in place of the asker's inbox. */
export interface NatsExport {
  readonly subject: string;
  /** The accounts that may import it. */
  readonly to: readonly string[];
  /** True where one request gets many messages. */
  readonly streamed?: boolean;
}

export interface NatsImport {
  readonly from: string;
  readonly subject: string;
  /** The subject to ask on, where it is another. */
  readonly as?: string;
}

export interface NatsCredentials {
  readonly name: string;
  readonly password: string;
}

export interface RenderedAccounts {
  readonly text: string;
  /** The user who may do nothing, and can log in only when exactly this text is loaded. */
  readonly witness: NatsCredentials;
}

const WITNESS = '_loaded';
const NOTHING: NatsPermissions = { publish: { allow: [] }, subscribe: { allow: [] } };

/** The file's text. @throws AssertionError for names that the server would read otherwise than they are meant. */
export function renderNatsAccounts(accounts: readonly NatsAccount[]): RenderedAccounts {
  const names = accounts.flatMap(({ users }) => users.map(({ name }) => name));
  assert(new Set(names).size === names.length && !names.includes(WITNESS), 'each user needs a name of its own');
  const rooms = accounts.map(renderAccount).join('');
  const password = createHash('sha256').update(rooms).digest('hex');
  const witness = { name: WITNESS, password };
  const last = renderAccount({ name: WITNESS, jetstream: false, users: [{ ...witness, permissions: NOTHING }] });
  return { text: `accounts {\n${rooms}${last}}\n`, witness };
}

/** `url` with these credentials in place of those it has. */
export function natsUrlFor(url: string, { name, password }: NatsCredentials): string {
  return `nats://${encodeURIComponent(name)}:${encodeURIComponent(password)}@${new URL(url).host}`;
}

function renderAccount({ name, jetstream = true, users, exports = [], imports = [] }: NatsAccount): string {
  assert(/^[A-Za-z0-9_-]+$/.test(name), `${name} is no name for an account: letters, digits, - and _ are`);
  const lines = [
    ...(jetstream ? ['jetstream: enabled'] : []),
    ...renderList('users', users.map(renderUser)),
    ...renderList('exports', exports.map(renderExport)),
    ...renderList('imports', imports.map(renderImport)),
  ];
  return `  ${quoted(name)} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`;
}

function renderList(name: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [`${name}: [`, ...entries.map((entry) => `  ${entry}`), ']'];
}

function renderExport({ subject, to, streamed = false }: NatsExport): string {
  const response = streamed ? ', response_type: stream' : '';
  return `{ service: ${quoted(subject)}, accounts: [${to.map(quoted).join(', ')}]${response} }`;
}

function renderImport({ from, subject, as }: NatsImport): string {
  const local = as === undefined ? '' : `, to: ${quoted(as)}`;
  return `{ service: { account: ${quoted(from)}, subject: ${quoted(subject)} }${local} }`;
}

function renderUser({ name, password, permissions }: NatsUser): string {
  // The server takes what begins so for a hash.
  assert(password !== '' && !password.startsWith('$2'), `the password of ${name} must not be empty nor begin with $2`);
  const rights = permissions === undefined ? '' : `, permissions: ${renderPermissions(permissions)}`;
  return `{ user: ${quoted(name)}, password: ${quoted(password)}${rights} }`;
}

function renderPermissions({ publish, subscribe, allowResponses }: NatsPermissions): string {
  const responses = allowResponses ? ', allow_responses: true' : '';
  return `{ publish: ${renderSubjects(publish)}, subscribe: ${renderSubjects(subscribe)}${responses} }`;
}

/** To the server an empty list of what is allowed means everything; to us it means nothing. */
function renderSubjects({ allow, deny = [] }: NatsSubjects): string {
  if (allow.length === 0) return '{ deny: [">"] }';
  const denied = deny.length === 0 ? '' : `, deny: [${deny.map(quoted).join(', ')}]`;
  return `{ allow: [${allow.map(quoted).join(', ')}]${denied} }`;
}

/** The server's notation knows JSON's escapes of quotes and backslashes, and not its \u. */
function quoted(text: string): string {
  assert(/^[\x20-\x7e]+$/.test(text), `${JSON.stringify(text)} is no plain text`);
  return JSON.stringify(text);
}
