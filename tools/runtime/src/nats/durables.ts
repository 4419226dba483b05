/**
 * Keeps in place what apps and guests may not make or change themselves: durable consumers, the stream of dead letters, and
 * the settings of the apps' streams. A stream that was lost takes its consumers with it; JetStream tells when one is made anew, and then they are made again.
 */
import { type ConsumerInfo, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { FactStream } from '@onepool/contracts';
import {
  connectNats,
  ensureDeadLetterStream,
  ensureDurable,
  ensureStream,
  findStream,
  monitorConnection,
} from '@onepool/platform-messaging';
import { OF_A_GUEST, factStreams, wantedDurables } from './permissions.ts';
import type { NatsUserRecord } from './nats-users.ts';

const STREAM_CREATED = '$JS.EVENT.ADVISORY.STREAM.CREATED.*';
const GIVE_UP_AFTER_MS = 10_000;

export interface DurableKeeper {
  stop(): Promise<void>;
}

/**
 * Brings the apps' streams up to date and makes the durables of these users that are missing, where their stream is there. One that cannot be made is in no other's
 * way.
 *
 * @throws AggregateError, at the end, with the errors of those that could not be made.
 */
export async function provisionDurables(connection: NatsConnection, users: readonly NatsUserRecord[]): Promise<void> {
  const manager = await jetstream(connection).jetstreamManager(false);
  const failures: Error[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      failures.push(new Error(`${what} could not be provided: ${(cause as Error).message}`, { cause }));
    }
  };
  await attempt('The stream of dead letters', () => ensureDeadLetterStream(connection));
  for (const stream of factStreams()) {
    await attempt(`The stream ${stream.name}`, () => updateStream(manager, stream));
  }
  for (const { stream, ...durable } of wantedDurables(users)) {
    await attempt(`The durable of ${durable.durable} for ${durable.filterSubject} in ${stream}`, async () => {
      if ((await findStream(manager, stream)) !== undefined) await ensureDurable(manager, stream, durable);
    });
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join(' '));
}

/** Apps make their streams and may not change them. A bound would hide a loss: the relay takes it for what the bound removed. */
async function updateStream(manager: JetStreamManager, stream: FactStream): Promise<void> {
  if ((await findStream(manager, stream.name)) !== undefined)
    await ensureStream(manager, { ...stream, bounds: 'none' });
}

/** Deletes the durables of guests who are none of these users, so that a later guest of the name starts from the beginning. */
export async function removeUnwantedDurables(
  connection: NatsConnection,
  users: readonly NatsUserRecord[],
): Promise<void> {
  const manager = await jetstream(connection).jetstreamManager(false);
  const wanted = new Set(wantedDurables(users).map(({ durable }) => durable));
  for (const { name: stream } of factStreams()) {
    if ((await findStream(manager, stream)) === undefined) continue;
    // The list is read to its end first, since a deletion would shift its pages.
    const found: ConsumerInfo[] = [];
    for await (const info of manager.consumers.list(stream)) found.push(info);
    const gone = found.filter(({ name, config }) => config.description === OF_A_GUEST && !wanted.has(name));
    for (const { name } of gone) await manager.consumers.delete(stream, name);
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
    turn = turn
      .then(() => removeUnwantedDurables(connection, readUsers()))
      .catch(onError)
      .then(() => provisionDurables(connection, readUsers()))
      .catch(onError);
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
