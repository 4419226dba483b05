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
export const isProtected = ({ config }: StreamInfo): boolean => config.deny_delete && config.deny_purge;

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
 * stream's too where the server lets us ({@link isProtected} tells). Safe to call from many places at once. Uses nothing that nats-server 2.9 lacks.
 */
export async function ensureStream(manager: JetStreamManager, definition: StreamDefinition): Promise<StreamInfo> {
  const existing = await findStream(manager, definition.name);
  if (existing !== undefined) return bringUpToDate(manager, existing, definition);
  return manager.streams.add({
    name: definition.name,
    subjects: [...definition.subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos((definition.maxAgeDays ?? 7) * DAY_MS),
    duplicate_window: nanos(120_000),
    ...boundSettings(definition.bounds),
    ...(definition.allowsRemoval === true ? {} : DENIED),
  });
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
