/**
 * The one nats-server that the specs of a run share. The first spec that asks starts it; each caller gets an account of its
 * own, in which nobody else's subjects and streams can be seen. Accounts are made by the dozen, since the server has to
 * load its configuration again for new ones.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NatsCredentials, freePort, natsUrlFor, startNats } from '@onepool/platform-local-servers';
import { underLock } from './directory-lock.ts';
import { testHome } from './test-home.ts';

const ACCOUNTS_AT_A_TIME = 48;

/** What the run's processes know of the server. */
interface Shared {
  readonly port: number;
  readonly password: string;
  /** Accounts that the server has. */
  readonly made: number;
  /** Of these, how many are handed out. */
  readonly used: number;
}

export interface TestNatsAccount {
  /** With the user and password of one who may do everything in the account. */
  readonly url: string;
  /** The account ends with the run; this is for specs whose server may as well be one of their own. */
  stop(): Promise<void>;
}

/**
 * An account with JetStream on the run's shared nats-server, empty.
 *
 * @example const nats = await createTestNatsAccount(); const connection = await connectNats({ url: nats.url, name: 'spec' });
 */
export async function createTestNatsAccount(): Promise<TestNatsAccount> {
  const home = join(testHome(), 'shared');
  await mkdir(home, { recursive: true });
  return underLock(join(testHome(), 'shared-nats.lock'), async () => {
    const file = join(home, 'nats-accounts.json');
    const known = await readFile(file, 'utf8').catch(() => undefined);
    const before = known === undefined ? await nothing() : (JSON.parse(known) as Shared);
    const shared = before.used < before.made ? before : await withMore(home, before);
    await writeFile(file, JSON.stringify({ ...shared, used: shared.used + 1 }), { mode: 0o600 });
    const url = natsUrlFor(`nats://127.0.0.1:${shared.port}`, userOf(shared, shared.used));
    return { url, stop: () => Promise.resolve() };
  });
}

const nothing = async (): Promise<Shared> => ({
  port: await freePort(),
  password: randomBytes(12).toString('hex'),
  made: 0,
  used: 0,
});

/** Starts the server, or has the one that runs load more accounts; connections stay. */
async function withMore(home: string, shared: Shared): Promise<Shared> {
  const made = shared.made + ACCOUNTS_AT_A_TIME;
  const accounts = Array.from({ length: made }, (_, index) => ({
    name: `SPEC-${index}`,
    users: [userOf(shared, index)],
  }));
  await startNats({ home, port: shared.port, accounts });
  return { ...shared, made };
}

const userOf = ({ password }: Shared, index: number): NatsCredentials => ({ name: `spec-${index}`, password });
