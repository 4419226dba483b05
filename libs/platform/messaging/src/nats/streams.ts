import {
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

const DAY_MS = 86_400_000;
const STREAM_NOT_FOUND = 10_059;

export interface StreamDefinition {
  readonly name: string;
  /** Listed explicitly: a wildcard over everything would also capture request/reply subjects. */
  readonly subjects: readonly string[];
  /** 7 unless told. */
  readonly maxAgeDays?: number;
  /** Copies in which a new stream is kept, each on a server of its own; 1 unless told. {@link streamWarnings} compares. */
  readonly replicas?: number;
  /** Whether its messages may be purged or deleted before their time; never unless told. */
  readonly allowsRemoval?: boolean;
  /**
   * What the stream holds at most, the oldest going first; `none` lifts bounds that somebody has set. Unless told, they are
   * left to whoever made the stream.
   */
  readonly bounds?: StreamBounds | 'none';
}

export interface StreamBounds {
  readonly maxBytes: number;
  readonly maxMessageBytes: number;
  readonly maxMessagesPerSubject: number;
}

const UNBOUNDED = { max_msgs: -1, max_bytes: -1, max_msgs_per_subject: -1, max_msg_size: -1 } as const;
type BoundSettings = Partial<Record<keyof typeof UNBOUNDED, number>>;

const DENIED = { deny_delete: true, deny_purge: true } as const;

/** Whether nobody can take messages out of the stream but by deleting it. */
const isProtected = ({ config }: StreamInfo): boolean => config.deny_delete && config.deny_purge;

/** The server does not make a stream as it is to be; the message says which, and what can be done. */
export class StreamRefusedError extends Error {
  override readonly name = 'StreamRefusedError';
}

/** What an operator should know of a stream that is not as it should be, and that is not ours to change. */
export function streamWarnings(info: StreamInfo, { name, replicas = 1 }: StreamDefinition): readonly string[] {
  const found = info.config.num_replicas;
  return [
    ...(isProtected(info) ? [] : [`${name} can be purged, and the server does not let us forbid it`]),
    ...(found === replicas
      ? []
      : [
          `${name} has ${counted(found)} where NATS_STREAM_REPLICAS is ${replicas}; \`nats stream edit ${name} --replicas=${replicas}\` changes the stream`,
        ]),
  ];
}

const counted = (replicas: number): string => (replicas === 1 ? '1 replica' : `${replicas} replicas`);

/** The stream's info, or undefined if there is no such stream. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

/**
 * Creates the stream if it is missing, adds missing subjects, protects its messages and sees to its bounds, an existing
 * stream's too where the server lets us. Its replicas are left as they are: {@link streamWarnings} tells of both. Safe to call from many
 * places at once. Uses nothing that nats-server 2.9 lacks.
 *
 * @throws StreamRefusedError where the server has not the means for as many replicas.
 */
export async function ensureStream(manager: JetStreamManager, definition: StreamDefinition): Promise<StreamInfo> {
  const existing = await findStream(manager, definition.name);
  if (existing !== undefined) return bringUpToDate(manager, existing, definition);
  return makeStream(manager, definition);
}

async function makeStream(manager: JetStreamManager, definition: StreamDefinition): Promise<StreamInfo> {
  const { name, subjects, maxAgeDays = 7, replicas = 1, bounds, allowsRemoval } = definition;
  try {
    return await manager.streams.add({
      name,
      subjects: [...subjects],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(maxAgeDays * DAY_MS),
      num_replicas: replicas,
      duplicate_window: nanos(120_000),
      ...boundSettings(bounds),
      ...(allowsRemoval === true ? {} : DENIED),
    });
  } catch (cause) {
    if (!(cause instanceof JetStreamApiError) || replicas === 1) throw cause;
    throw new StreamRefusedError(
      `The server does not make the stream ${name} with ${replicas} replicas, as NATS_STREAM_REPLICAS says: ${cause.message}`,
      { cause },
    );
  }
}

function boundSettings(bounds: StreamDefinition['bounds']): BoundSettings {
  if (bounds === undefined) return {};
  if (bounds === 'none') return UNBOUNDED;
  return {
    max_bytes: bounds.maxBytes,
    max_msg_size: bounds.maxMessageBytes,
    max_msgs_per_subject: bounds.maxMessagesPerSubject,
  };
}

/** Bounds that are missing, or there and not to be; another number than ours is its operator's choice. */
function boundsToChange({ config }: StreamInfo, bounds: StreamDefinition['bounds']): BoundSettings {
  const wanted = Object.entries(boundSettings(bounds)) as [keyof BoundSettings, number][];
  return Object.fromEntries(wanted.filter(([name, value]) => config[name] > 0 !== value > 0));
}

async function bringUpToDate(
  manager: JetStreamManager,
  existing: StreamInfo,
  { subjects: wanted, allowsRemoval, bounds }: StreamDefinition,
): Promise<StreamInfo> {
  const { name, subjects: present } = existing.config;
  const subjects = [...new Set([...present, ...wanted])];
  let info = existing;
  if (subjects.length > present.length) info = await manager.streams.update(name, { subjects });
  const protection = allowsRemoval === true || isProtected(existing) ? {} : DENIED;
  for (const change of [protection, boundsToChange(existing, bounds)]) {
    if (Object.keys(change).length === 0) continue;
    try {
      info = await manager.streams.update(name, change);
    } catch (error) {
      // Whoever made the stream may have made it so that this cannot be changed; facts must flow all the same.
      if (!(error instanceof JetStreamApiError)) throw error;
    }
  }
  return info;
}
