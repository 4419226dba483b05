import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { ensureStream, type StreamDefinition } from '../nats/streams.ts';
import type { OwnedPartition } from './cursor-store.ts';
import type { Checkpoint, StreamPosition } from './partition-progress.ts';

export interface Rewind {
  readonly partition: number;
  readonly reason: 'stream_recreated' | 'stream_lost_tail';
  /** Everything above this outbox id is published again. */
  readonly low: number;
}

/**
 * Compares what the stream holds with what it acknowledged, and rewinds each partition that lost something. Creates the
 * stream if it is missing.
 *
 * The sequence alone would not tell: after a loss, others may have published past the old sequence before this relay
 * looks. So the message *at* the acknowledged sequence must still be the same event.
 */
export async function verifyStream(
  manager: JetStreamManager,
  definition: StreamDefinition,
  owned: Iterable<OwnedPartition>,
): Promise<Rewind[]> {
  const info = await ensureStream(manager, definition);
  const created = new Date(info.created);
  const rewinds: Rewind[] = [];
  for (const item of owned) {
    const rewind = await verifyPartition(manager, info, created, item);
    if (rewind !== undefined) rewinds.push(rewind);
  }
  return rewinds;
}

async function verifyPartition(
  manager: JetStreamManager,
  info: StreamInfo,
  created: Date,
  item: OwnedPartition,
): Promise<Rewind | undefined> {
  const { progress, partition } = item;
  const known = item.streamCreated;
  item.streamCreated = created;
  if (known !== undefined && known.getTime() !== created.getTime()) {
    progress.rewindTo(undefined);
    return { partition, reason: 'stream_recreated', low: 0 };
  }
  if (progress.position === undefined || (await holds(manager, info, progress.position))) return undefined;
  const checkpoint = await newestIntact(manager, info, progress.checkpoints);
  progress.rewindTo(checkpoint);
  return { partition, reason: 'stream_lost_tail', low: progress.low };
}

async function newestIntact(
  manager: JetStreamManager,
  info: StreamInfo,
  checkpoints: readonly Checkpoint[],
): Promise<Checkpoint | undefined> {
  for (const checkpoint of checkpoints.toReversed()) {
    if (await holds(manager, info, checkpoint.position)) return checkpoint;
  }
  return undefined;
}

async function holds(manager: JetStreamManager, info: StreamInfo, position: StreamPosition): Promise<boolean> {
  if (position.sequence > info.state.last_seq) return false;
  // What retention removed was there, and is not missing.
  if (position.sequence < info.state.first_seq) return true;
  const message = await manager.streams.getMessage(info.config.name, { seq: position.sequence });
  return message?.header.get('Nats-Msg-Id') === position.eventId;
}
