import { accessSync, constants, readFileSync } from 'node:fs';
import {
  type Authenticator,
  type NodeConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import { OperatorError } from '@onepool/platform-config';
import type { NatsReport } from './nats-report.ts';

export interface NatsOptions {
  /** `nats://host:port` with a user and password or a token before the host; `tls://…`; several separated by commas. */
  readonly url: string;
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly nkeyFile?: string | undefined;
  readonly credsFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly inboxPrefix?: string | undefined;
  /** Told when the server cannot be reached, at once and then ever more rarely, and when it is back. */
  readonly report?: ((report: NatsReport) => void) | undefined;
  /** How long a tool waits for the first connection; an app leaves it out and waits for ever. */
  readonly giveUpAfterMs?: number | undefined;
  /** Ends waiting for the first connection: whoever asked for it stops. */
  readonly signal?: AbortSignal | undefined;
}

/** What names a server to people: never its secrets. */
export interface NatsTarget {
  /** `host:port`, several separated by commas. */
  readonly servers: string;
  /** Who we say we are: `user brokering`, `a token`, … */
  readonly identity: string;
  readonly encrypted: boolean;
}

/** The settings contradict each other or name a file that cannot be read; the message says which and what to do. */
export class NatsSettingsError extends OperatorError {
  override readonly name = 'NatsSettingsError';
}

const DIAL_TIMEOUT_MS = 5_000;

/**
 * The options under which a connection outlives any outage: it never gives up reconnecting, with jitter so that a restart
 * does not bring every client back in the same instant. Pings notice a half-open connection within about 15 seconds.
 *
 * @throws NatsSettingsError
 */
export function resilientOptions(options: NatsOptions): NodeConnectionOptions {
  const addresses = parseAddresses(options.url);
  const { nkeyFile, credsFile, caFile, certFile, keyFile } = options;
  for (const [name, path] of Object.entries({ nkeyFile, credsFile, caFile, certFile, keyFile }))
    requireFile(name, path);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new NatsSettingsError('NATS_CERT_FILE and NATS_KEY_FILE belong together: set both or neither.');
  }
  const inboxPrefix = options.inboxPrefix ?? defaultInboxPrefix(addresses.user);
  return {
    servers: addresses.servers,
    name: options.name,
    ...credentialsOf(addresses, nkeyFile, credsFile),
    ...(isEncrypted(options, addresses) ? { tls: { ...given({ caFile, certFile, keyFile }) } } : {}),
    ...given({ inboxPrefix }),
    timeout: DIAL_TIMEOUT_MS,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 5_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    // Without it every publish and every request makes two errors in advance, for their stacks: half of what it costs.
    noAsyncTraces: true,
  };
}

/** How to speak of the server to people. */
export function natsTarget(options: NatsOptions): NatsTarget {
  const addresses = parseAddresses(options.url);
  const identity = identityOf(options, addresses);
  return { servers: addresses.servers.join(', '), identity, encrypted: isEncrypted(options, addresses) };
}

function identityOf({ nkeyFile, credsFile }: NatsOptions, { user, token }: Addresses): string {
  if (credsFile !== undefined) return `the credentials in ${credsFile}`;
  if (nkeyFile !== undefined) return `the NKEY in ${nkeyFile}`;
  if (user !== undefined) return `user ${user}`;
  return token === undefined ? 'a client without credentials' : 'the token';
}

function isEncrypted({ caFile, certFile }: NatsOptions, { encrypted }: Addresses): boolean {
  return encrypted || caFile !== undefined || certFile !== undefined;
}

interface Addresses {
  /** `host:port`: what the client shows in events and logs must hold no password. */
  readonly servers: string[];
  readonly encrypted: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
}

const WRONG_ADDRESS =
  'NATS_URL is not an address like nats://user:password@host:4222 (nats:// or tls://, special characters as %40).';

function parseAddresses(text: string): Addresses {
  const urls = text.split(',').map((part) => {
    const address = part.trim();
    // An address without a scheme is the client's own notation.
    const whole = address.includes('://') ? address : `nats://${address}`;
    if (!URL.canParse(whole)) throw new NatsSettingsError(WRONG_ADDRESS);
    const url = new URL(whole);
    if (!['nats:', 'tls:'].includes(url.protocol) || url.hostname === '') throw new NatsSettingsError(WRONG_ADDRESS);
    return url;
  });
  const logins = new Set(
    urls.map(({ username, password }) => `${username}:${password}`).filter((login) => login !== ':'),
  );
  if (logins.size > 1) throw new NatsSettingsError('NATS_URL names several users: one is used for all its servers.');
  const { username = '', password = '' } = urls.find(({ username }) => username !== '') ?? {};
  const isToken = username !== '' && password === '';
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || '4222'}`),
    encrypted: urls.some(({ protocol }) => protocol === 'tls:'),
    user: username === '' || isToken ? undefined : decoded(username),
    password: password === '' ? undefined : decoded(password),
    token: isToken ? decoded(username) : undefined,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new NatsSettingsError(WRONG_ADDRESS);
  }
}

/** Files are read at each connecting, so that a renewed one is taken up without a restart. */
function credentialsOf(
  { user, password, token }: Addresses,
  nkeyFile: string | undefined,
  credsFile: string | undefined,
): Pick<NodeConnectionOptions, 'user' | 'pass' | 'token' | 'authenticator'> {
  const kinds = [user ?? token, nkeyFile, credsFile].filter((kind) => kind !== undefined);
  if (kinds.length > 1) {
    const advice = 'Keep one: a user or token in NATS_URL, NATS_NKEY_FILE or NATS_CREDS_FILE.';
    throw new NatsSettingsError(`NATS is given several kinds of credentials. ${advice}`);
  }
  if (user !== undefined) return { user, pass: password ?? '' };
  if (token !== undefined) return { token };
  const authenticator = fileAuthenticator(nkeyFile, credsFile);
  return authenticator === undefined ? {} : { authenticator };
}

function fileAuthenticator(nkeyFile: string | undefined, credsFile: string | undefined): Authenticator | undefined {
  // A seed may stand between comments and blank lines.
  const seed = (path: string): Uint8Array => {
    const line = /^\s*(S[A-Z2-7]{57})\s*$/m.exec(readFileSync(path, 'utf8'))?.[1];
    if (line === undefined) throw new NatsSettingsError(`${path} (NATS_NKEY_FILE) holds no seed of an NKEY (SU…).`);
    return Buffer.from(line);
  };
  if (nkeyFile !== undefined) {
    seed(nkeyFile);
    return nkeyAuthenticator(() => seed(nkeyFile));
  }
  return credsFile === undefined ? undefined : credsAuthenticator(() => readFileSync(credsFile));
}

const SETTING_OF: Readonly<Record<string, string>> = {
  nkeyFile: 'NATS_NKEY_FILE',
  credsFile: 'NATS_CREDS_FILE',
  caFile: 'NATS_CA_FILE',
  certFile: 'NATS_CERT_FILE',
  keyFile: 'NATS_KEY_FILE',
};

function requireFile(name: string, path: string | undefined): void {
  if (path === undefined) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw new NatsSettingsError(`${SETTING_OF[name] ?? name} names ${path}, which cannot be read.`, { cause });
  }
}

/** An inbox below the user's own name, so that a server can keep users out of each other's answers. */
function defaultInboxPrefix(user: string | undefined): string | undefined {
  return user !== undefined && /^[A-Za-z0-9_-]+$/.test(user) ? `_INBOX.${user}` : undefined;
}

function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
