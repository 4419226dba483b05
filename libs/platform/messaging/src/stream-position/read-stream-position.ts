import { jetstream, JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import { findStream } from '../nats/streams.ts';
import { mapNatsClientError, ServiceUnavailableError } from '../nest/service-unavailable.ts';
import type { StreamPosition } from './stream-position.ts';

export interface PositionSource {
  /** A pool or a client; the schema's `messagingTables` are read with it. */
  readonly client: Pick<pg.ClientBase, 'query'>;
  /** The schema whose relay fills the stream. */
  readonly schema: string;
  readonly connection: NatsConnection;
  readonly stream: string;
}

/**
 * Where the stream is now. Every fact at or below it was committed before this resolves, since a relay publishes what is
 * committed: rows that are read from now on have them in.
 *
 * The epoch is read first. If the stream is lost in between, the sequence is already the new one's under the old epoch, and
 * facts of a greater epoch show it. The other way round the old sequence would pass for one of the new epoch, and hide facts.
 *
 * @throws ServiceUnavailableError while NATS is away, or the stream is not there yet: a relay is about to make it.
 * @example const position = formatPosition(await readStreamPosition({ client: pool, schema, connection, stream }));
 */
export async function readStreamPosition({
  client,
  schema,
  connection,
  stream,
}: PositionSource): Promise<StreamPosition> {
  const { rows } = await client.query<{ epoch: string }>({
    name: `stream-epoch-${schema}`,
    text: `SELECT epoch FROM ${pg.escapeIdentifier(schema)}.relay_stream`,
  });
  return { epoch: Number(rows[0]?.epoch), sequence: await lastSequence(connection, stream) };
}

async function lastSequence(connection: NatsConnection, stream: string): Promise<number> {
  const info = await findInfo(connection, stream);
  if (info === undefined) throw new ServiceUnavailableError(`The stream ${stream} is not there yet.`);
  return info.state.last_seq;
}

async function findInfo(connection: NatsConnection, stream: string) {
  try {
    return await findStream(await jetstream(connection).jetstreamManager(false), stream);
  } catch (error) {
    if (error instanceof JetStreamApiError) {
      throw new ServiceUnavailableError(`JetStream does not tell of ${stream}: ${error.message}`, { cause: error });
    }
    throw mapNatsClientError(error);
  }
}
