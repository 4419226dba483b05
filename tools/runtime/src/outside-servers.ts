/**
 * Asks the servers that were named to us whether they can be used, before anything is started on them: one question of some
 * seconds each, and one sentence when the answer is no. No sentence holds a password.
 */
import { connectNats, natsAddressAt } from '@onepool/platform-messaging';
import { explained, withClient } from '@onepool/platform-postgres';
import { StartError } from './start-error.ts';

const TIMEOUT_MS = 5_000;

/** @returns the server's version. @throws an error whose message is the sentence; `setting` is where the address is from. */
export async function requirePostgres(url: string, setting: string): Promise<string> {
  try {
    return await withClient(url, readVersion, TIMEOUT_MS);
  } catch (error) {
    throw explained(error, { url, setting });
  }
}

async function readVersion(client: Parameters<Parameters<typeof withClient>[1]>[0]): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  return rows[0]?.server_version ?? '';
}

/** @returns the server's version. @throws StartError */
export async function requireNats(url: string): Promise<string> {
  try {
    const address = natsAddressAt(url, process.env);
    const connection = await connectNats({ ...address, name: 'npm start', giveUpAfterMs: TIMEOUT_MS });
    const version = connection.info?.version ?? '';
    await connection.close();
    return version;
  } catch (cause) {
    throw new StartError((cause as Error).message, { cause });
  }
}
