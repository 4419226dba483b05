import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { type NatsConnection, nkeys } from '@nats-io/transport-node';
import { freePort } from '@onepool/platform-local-servers';
import {
  type Certificates,
  type ConfiguredNats,
  hasOpenSsl,
  makeCertificates,
  scratchDirectory,
  startConfiguredNats,
} from '../spec-support/configured-nats.ts';
import { eventually } from '../spec-support/messaging-bench.ts';
import { connectNats, inboxPrefixOf } from './connect-nats.ts';
import type { NatsOptions } from './nats-options.ts';
import type { NatsReport } from './nats-report.ts';

const PATIENT_MS = 60_000;
/** For what is tried again until then, and never succeeds. */
const giveUpAfterMs = 1_000;

let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let server: ConfiguredNats | undefined;
const connections: NatsConnection[] = [];

beforeAll(async () => {
  scratch = await scratchDirectory();
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  await server?.stop();
  server = undefined;
});
afterAll(() => scratch.remove());

const file = (name: string): string => join(scratch.path, name);

async function serve(config: string): Promise<number> {
  server = await startConfiguredNats(scratch.path, await freePort(), config);
  return server.port;
}

async function open(options: Omit<NatsOptions, 'name'>): Promise<NatsConnection> {
  const connection = await connectNats({ name: 'spec', giveUpAfterMs: PATIENT_MS, ...options });
  connections.push(connection);
  return connection;
}

/** `speaks` when a request gets its answer over the connection, else what the connecting failed with. */
async function attempt(options: Omit<NatsOptions, 'name'>): Promise<string> {
  try {
    const connection = await open(options);
    connection.subscribe('echo', { callback: (_error, message) => void message.respond(message.data) });
    return (await connection.request('echo', 'speaks', { timeout: 60_000 })).string();
  } catch (error) {
    return (error as Error).message;
  }
}

describe('who a program is to NATS', () => {
  it('takes a user and password from the address, with whatever characters', async () => {
    const port = await serve('authorization { users: [{ user: "b/r", password: "p@ss,:%" }] }');
    const login = `${encodeURIComponent('b/r')}:${encodeURIComponent('p@ss,:%')}`;
    expect(await attempt({ url: `nats://${login}@127.0.0.1:${port}` })).toBe('speaks');
    expect(await attempt({ url: `nats://b%2Fr:wrong@127.0.0.1:${port}` })).toBe(
      `NATS at 127.0.0.1:${port} refuses user b/r: check the user and password in NATS_URL, or the file that holds the key.`,
    );
    expect(await attempt({ url: `nats://127.0.0.1:${port}` })).toContain('refuses a client without credentials');
  });

  it('receives answers below its own name', async () => {
    const port = await serve(`authorization { users: [
      { user: brokering, password: p, permissions: { publish: ">", subscribe: ["_INBOX.brokering.>", echo] } }
    ] }`);
    const url = `nats://brokering:p@127.0.0.1:${port}`;
    expect(await attempt({ url })).toBe('speaks');
    expect(inboxPrefixOf(connections[0]!)).toBe('_INBOX.brokering');
    expect(await attempt({ url, inboxPrefix: '_INBOX.other' })).toMatch(/Permissions Violation/i);
  });

  it('takes a token from the address', async () => {
    const port = await serve('authorization { token: "t0k/en" }');
    expect(await attempt({ url: `nats://t0k%2Fen@127.0.0.1:${port}` })).toBe('speaks');
    expect(await attempt({ url: `nats://other@127.0.0.1:${port}` })).toMatch(/refuses the token/);
  });

  it('takes an NKEY from a file', async () => {
    const pair = nkeys.createUser();
    const port = await serve(`authorization { users: [{ nkey: ${pair.getPublicKey()} }] }`);
    const nkeyFile = file('user.nk');
    await writeFile(nkeyFile, `# of the spec\n${Buffer.from(pair.getSeed()).toString()}\n`);
    expect(await attempt({ url: `nats://127.0.0.1:${port}`, nkeyFile })).toBe('speaks');
    const stranger = file('stranger.nk');
    await writeFile(stranger, nkeys.createUser().getSeed());
    expect(await attempt({ url: `nats://127.0.0.1:${port}`, nkeyFile: stranger })).toMatch(
      /refuses the NKEY in .*stranger/,
    );
  });

  it('takes a JWT from a credentials file', async () => {
    const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
    const jwts = {
      operator: jwtOf(operator, operator, { type: 'operator', version: 2 }),
      account: jwtOf(operator, account, {
        type: 'account',
        version: 2,
        limits: { subs: -1, conn: -1, data: -1, payload: -1 },
      }),
      user: jwtOf(account, user, { type: 'user', version: 2, subs: -1, data: -1, payload: -1 }),
    };
    const port = await serve(
      `operator: ${jwts.operator}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${jwts.account} }`,
    );
    const credsFile = file('user.creds');
    const seed = Buffer.from(user.getSeed()).toString();
    await writeFile(
      credsFile,
      `-----BEGIN NATS USER JWT-----\n${jwts.user}\n------END NATS USER JWT------\n\n` +
        `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    );
    expect(await attempt({ url: `nats://127.0.0.1:${port}`, credsFile })).toBe('speaks');
    expect(await attempt({ url: `nats://127.0.0.1:${port}` })).toMatch(/refuses/);
  });
});

const withOpenSsl = hasOpenSsl() ? describe : describe.skip;
withOpenSsl('NATS over TLS (made with openssl; Debian: apt-get install openssl)', () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates(scratch.path);
  });
  const tls = (verify: boolean): string => {
    const { serverCert, serverKey, caFile } = certificates;
    return `tls { cert_file: "${serverCert}", key_file: "${serverKey}", ca_file: "${caFile}", verify: ${verify} }`;
  };

  it('trusts a server whose authority it was told, and no other', async () => {
    const port = await serve(tls(false));
    const url = `tls://localhost:${port}`;
    expect(await attempt({ url, caFile: certificates.caFile })).toBe('speaks');
    expect(await attempt({ url, giveUpAfterMs })).toMatch(/is not trusted .*NATS_CA_FILE/);
  });

  it('shows its own certificate to a server that asks for one', async () => {
    const port = await serve(tls(true));
    const { caFile, clientCert: certFile, clientKey: keyFile } = certificates;
    expect(await attempt({ url: `tls://localhost:${port}`, caFile, certFile, keyFile })).toBe('speaks');
    expect(await attempt({ url: `tls://localhost:${port}`, caFile, giveUpAfterMs })).toMatch(/NATS_CERT_FILE/);
  });

  it('sends nothing in the clear to a server that speaks no TLS', async () => {
    const port = await serve('');
    expect(await attempt({ url: `tls://127.0.0.1:${port}`, giveUpAfterMs })).toMatch(/speaks no TLS: write nats:\/\//);
  });
});

describe('a NATS that cannot be reached', () => {
  it('is told to a tool in one sentence within the time it was given', async () => {
    const port = await freePort();
    expect(await attempt({ url: `nats://127.0.0.1:${port}`, giveUpAfterMs })).toBe(
      `Nothing listens at 127.0.0.1:${port}: start nats-server there, or check NATS_URL.`,
    );
    expect(await attempt({ url: 'nats://no-such-host.invalid', giveUpAfterMs })).toMatch(
      /There is no host for NATS at no-such-host.invalid:4222: check NATS_URL/,
    );
  });

  it('is told when something else listens there', async () => {
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const port = await freePort();
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
    expect(await attempt({ url: `nats://127.0.0.1:${port}`, giveUpAfterMs })).toMatch(
      /cannot be used \(.*\): check NATS_URL/,
    );
    stranger.close();
  });

  it('is waited for by an app, which says at once what it waits for, and when it is there', async () => {
    const port = await freePort();
    const reports: NatsReport[] = [];
    const connecting = connectNats({
      url: `nats://app:secret@127.0.0.1:${port}`,
      name: 'app',
      report: (report) => reports.push(report),
    });
    await eventually(
      () => reports.length,
      (count) => count > 0,
    );
    server = await startConfiguredNats(scratch.path, port, 'authorization { users: [{ user: app, password: other }] }');
    await eventually(
      () => reports.at(-1)?.level,
      (level) => level === 'error',
    );
    await server.stop();
    server = await startConfiguredNats(
      scratch.path,
      port,
      'authorization { users: [{ user: app, password: secret }] }',
    );
    connections.push(await connecting);
    expect(reports.map(({ level }) => level)).toEqual(expect.arrayContaining(['warn', 'error', 'info']));
    expect(reports[0]!.message).toBe(
      `Nothing listens at 127.0.0.1:${port}: start nats-server there, or check NATS_URL. Trying on.`,
    );
    expect(reports.at(-1)).toMatchObject({ level: 'info', message: `NATS at 127.0.0.1:${port} is there.` });
    expect(JSON.stringify(reports)).not.toContain('secret');
  });

  it('is told of when it goes and when it comes back', async () => {
    const port = await serve('');
    const reports: NatsReport[] = [];
    await open({ url: `nats://127.0.0.1:${port}`, report: (report) => reports.push(report) });
    await server!.stop();
    await eventually(
      () => reports.at(-1)?.message,
      (message) => message === `The connection to NATS at 127.0.0.1:${port} is lost. Trying on.`,
    );
    server = await startConfiguredNats(scratch.path, port, '');
    await eventually(
      () => reports.at(-1)?.level,
      (level) => level === 'info',
    );
  });

  it('is told of when it denies a subject', async () => {
    const port = await serve('authorization { users: [{ user: a, password: p, permissions: { publish: ok } }] }');
    const reports: NatsReport[] = [];
    const connection = await open({
      url: `nats://a:p@127.0.0.1:${port}`,
      report: (report) => reports.push(report),
    });
    connection.publish('forged');
    connection.publish('forged');
    await connection.flush();
    await eventually(
      () => reports.length,
      (count) => count > 0,
    );
    await connection.flush();
    expect(reports.map(({ level, message }) => [level, message])).toEqual([
      ['error', `NATS at 127.0.0.1:${port} does not let user a publish to forged: the user lacks this permission.`],
    ]);
  });
});

interface KeyPair {
  getPublicKey(): string;
  sign(input: Uint8Array): Uint8Array;
}

/** A JWT as the NATS server reads it, about `subject`, signed by `issuer`. */
function jwtOf(issuer: KeyPair, subject: KeyPair, nats: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    jti: 'spec',
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    name: 'spec',
    sub: subject.getPublicKey(),
    nats,
  };
  const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
}
