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
}

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
 * Creates the stream if it is missing and adds missing subjects. Safe to call from many places at once. Uses nothing
 * that nats-server 2.9 lacks.
 */
export async function ensureStream(manager: JetStreamManager, definition: StreamDefinition): Promise<StreamInfo> {
  const existing = await findStream(manager, definition.name);
  if (existing !== undefined) return addSubjects(manager, existing, definition.subjects);
  return manager.streams.add({
    name: definition.name,
    subjects: [...definition.subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos((definition.maxAgeDays ?? 7) * DAY_MS),
    duplicate_window: nanos(120_000),
  });
}

async function addSubjects(
  manager: JetStreamManager,
  { config }: StreamInfo,
  wanted: readonly string[],
): Promise<StreamInfo> {
  const subjects = [...new Set([...config.subjects, ...wanted])];
  if (subjects.length === config.subjects.length) return manager.streams.info(config.name);
  return manager.streams.update(config.name, { subjects });
}
