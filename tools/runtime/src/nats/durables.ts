/**
 * Keeps in place what apps and guests may not make themselves: durable consumers, and the stream of dead letters. A stream
 * that was lost takes its consumers with it; JetStream tells when one is made anew, and then they are made again.
 */
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  connectNats,
  ensureDeadLetterStream,
  ensureDurable,
  findStream,
  monitorConnection,
} from '@onepool/platform-messaging';
import { wantedDurables } from './permissions.ts';
import type { NatsUserRecord } from './nats-users.ts';

const STREAM_CREATED = '$JS.EVENT.ADVISORY.STREAM.CREATED.*';
const GIVE_UP_AFTER_MS = 10_000;

export interface DurableKeeper {
  stop(): Promise<void>;
}

/** Makes the durables of these users that are missing, where their stream is there. */
export async function provisionDurables(connection: NatsConnection, users: readonly NatsUserRecord[]): Promise<void> {
  const manager = await jetstream(connection).jetstreamManager(false);
  await ensureDeadLetterStream(connection);
  for (const { stream, ...durable } of wantedDurables(users)) {
    if ((await findStream(manager, stream)) !== undefined) await ensureDurable(manager, stream, durable);
  }
}

/** Does so now, and again whenever a stream was made or the server came back. */
export async function keepDurables(
  url: string,
  readUsers: () => readonly NatsUserRecord[],
  onError: (error: unknown) => void,
): Promise<DurableKeeper> {
  const connection = await connectNats({ url, name: 'runtime', giveUpAfterMs: GIVE_UP_AFTER_MS });
  let turn: Promise<void> = Promise.resolve();
  const provision = (): void => {
    turn = turn.then(() => provisionDurables(connection, readUsers())).catch(onError);
  };
  connection.subscribe(STREAM_CREATED, { callback: provision });
  const monitor = monitorConnection(connection, provision);
  provision();
  await turn;
  return {
    async stop() {
      monitor.stop();
      await connection.close();
      await turn;
    },
  };
}
