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
}

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
 * Creates the stream if it is missing, adds missing subjects and protects its messages, an existing stream's too where the
 * server lets us ({@link isProtected} tells). Safe to call from many places at once. Uses nothing that nats-server 2.9 lacks.
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
    ...(definition.allowsRemoval === true ? {} : DENIED),
  });
}

async function bringUpToDate(
  manager: JetStreamManager,
  existing: StreamInfo,
  { subjects: wanted, allowsRemoval }: StreamDefinition,
): Promise<StreamInfo> {
  const { name, subjects: present } = existing.config;
  const subjects = [...new Set([...present, ...wanted])];
  const isMissing = subjects.length > present.length;
  if (allowsRemoval !== true && !isProtected(existing)) {
    try {
      return await manager.streams.update(name, { subjects, ...DENIED });
    } catch (error) {
      // Whoever made the stream may have made it so that it cannot be protected; facts must flow all the same.
      if (!(error instanceof JetStreamApiError)) throw error;
    }
  }
  return isMissing ? manager.streams.update(name, { subjects }) : existing;
}
