import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { millis } from '@nats-io/transport-node';
import { ensureStream, type StreamDefinition, streamWarnings } from '../nats/streams.ts';
import type { OwnedPartition } from './cursor-store.ts';
import type { Checkpoint, MessagePosition } from './partition-progress.ts';
import { type FirstMessage, isPurged, needsDetails } from './stream-loss.ts';

export interface Rewind {
  readonly partition: number;
  readonly reason: 'stream_recreated' | 'stream_lost_tail' | 'stream_purged';
  /** Everything above this outbox id is published again. */
  readonly low: number;
}

/** What a look at the stream found. */
export interface StreamVerdict {
  readonly rewinds: readonly Rewind[];
  /** Makes the partitions go back. Until then nothing of them has changed. */
  rewind(): void;
  /** What an operator should know of the stream: sentences. */
  readonly warnings: readonly string[];
  /** For the next look. */
  readonly seen: Seen;
}

/** What was seen of a stream: which it was, and its first message if it had one. */
export interface Seen {
  readonly created: string;
  readonly first: FirstMessage | undefined;
}

/**
 * Compares what the stream holds with what it acknowledged, and tells which partitions lost something. Creates the stream if
 * it is missing.
 *
 * The sequence alone would not tell: after a loss, others may have published past the old sequence before this relay
 * looks. So the message *at* the acknowledged sequence must still be the same event. And a purge leaves the last sequence as
 * it is; {@link isPurged} tells it. Then everything is published again that the outbox retains, not only what is missing:
 * what is old would otherwise follow upon what is new.
 */
export async function verifyStream(
  manager: JetStreamManager,
  definition: StreamDefinition,
  owned: readonly OwnedPartition[],
  before: Seen | undefined,
): Promise<StreamVerdict> {
  const info = await ensureStream(manager, definition);
  const created = new Date(info.created);
  const isCut = await isPurgedNow(manager, info, owned, before?.created === info.created ? before.first : undefined);
  const losses: Loss[] = [];
  for (const item of owned) {
    const loss = await verifyPartition(manager, info, created, item, isCut);
    if (loss !== undefined) losses.push(loss);
  }
  return {
    rewinds: losses.map(({ rewind }) => rewind),
    rewind() {
      for (const item of owned) item.streamCreated = created;
      for (const { goBack } of losses) goBack();
    },
    warnings: streamWarnings(info, definition),
    seen: { created: info.created, first: firstOf(info) },
  };
}

interface Loss {
  readonly rewind: Rewind;
  readonly goBack: () => void;
}

function firstOf({ state }: StreamInfo): FirstMessage | undefined {
  return state.messages === 0 ? undefined : { sequence: state.first_seq, storedAt: new Date(state.first_ts).getTime() };
}

async function isPurgedNow(
  manager: JetStreamManager,
  info: StreamInfo,
  owned: readonly OwnedPartition[],
  first: FirstMessage | undefined,
): Promise<boolean> {
  const { name, max_age, max_msgs, max_bytes, max_msgs_per_subject } = info.config;
  const limits = {
    maxAgeMs: millis(max_age),
    isBounded: [max_msgs, max_bytes, max_msgs_per_subject].some((limit) => limit > 0),
  };
  const known = owned.flatMap(({ progress }) => progress.knownMessages());
  const { state } = needsDetails(info.state) ? await manager.streams.info(name, { deleted_details: true }) : info;
  return isPurged(state, limits, known, first, Date.now());
}

async function verifyPartition(
  manager: JetStreamManager,
  info: StreamInfo,
  created: Date,
  { partition, progress, streamCreated: known }: OwnedPartition,
  isCut: boolean,
): Promise<Loss | undefined> {
  if (known !== undefined && known.getTime() !== created.getTime()) {
    return {
      rewind: { partition, reason: 'stream_recreated', low: 0 },
      goBack: () => progress.rewindTo(undefined),
    };
  }
  if (isCut) {
    return { rewind: { partition, reason: 'stream_purged', low: 0 }, goBack: () => progress.rewindPurged() };
  }
  if (progress.position === undefined || (await holds(manager, info, progress.position))) return undefined;
  const checkpoint = await newestIntact(manager, info, progress.checkpoints);
  return {
    rewind: { partition, reason: 'stream_lost_tail', low: checkpoint?.low ?? 0 },
    goBack: () => progress.rewindTo(checkpoint),
  };
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

async function holds(manager: JetStreamManager, info: StreamInfo, position: MessagePosition): Promise<boolean> {
  if (position.sequence > info.state.last_seq) return false;
  // What retention removed was there, and is not missing.
  if (position.sequence < info.state.first_seq) return true;
  const message = await manager.streams.getMessage(info.config.name, { seq: position.sequence });
  return message?.header.get('ce-id') === position.eventId;
}
