export { factKey, nameInKey, readFactKey } from './fact-key.ts';
export { factId, factIdSql } from './fact-id.ts';
export { keyOf, parseMessage, toMessageHeaders, UnparsableMessageError, type FactEvent } from './cloud-event.ts';
export { messagingTables } from './messaging-tables.ts';
export {
  appendToOutbox,
  MAX_EVENT_BYTES,
  OUTBOX_COLUMNS,
  outboxInsertFrom,
  outboxParameters,
  type OutboxTarget,
} from './outbox/outbox-insert.ts';
export { OutboxTail, type TailPoll } from './outbox/outbox-tail.ts';
export { partitionOf } from './outbox/partition-of.ts';
export { dropOutboxDays, MIN_OUTBOX_DAYS, type DropOptions } from './outbox/drop-outbox-days.ts';
export {
  formatPosition,
  parsePosition,
  PositionError,
  type StreamPosition,
} from './stream-position/stream-position.ts';
export { type PositionSource, readStreamPosition } from './stream-position/read-stream-position.ts';
export { startRelay, type Relay } from './relay/relay.ts';
export type { RelayHooks, RelayOptions } from './relay/relay-options.ts';
export type { Rewind } from './relay/verify-stream.ts';
export { runConsumer, type RunningConsumer } from './consumer/run-consumer.ts';
export type {
  ConsumerAlarm,
  ConsumerHooks,
  ConsumerOptions,
  DeadLetter,
  EffectPlace,
  PlacedConsumerOptions,
  UnstoredConsumerOptions,
} from './consumer/consumer-options.ts';
export { pruneInbox, type PruneOptions } from './consumer/prune-inbox.ts';
export { ensureDurable, findDurable, type Durable } from './consumer/durable.ts';
export { DEAD_LETTER_STREAM, deadLetterSubject, ensureDeadLetterStream } from './consumer/dead-letter.ts';
export { GapTracker, type StepVerdict, type VersionStep } from './consumer/gap-tracker.ts';
export { WakeUp } from './wake-up.ts';
export { connectNats } from './nats/connect-nats.ts';
export { NatsSettingsError, type NatsOptions } from './nats/nats-options.ts';
export { NATS_SETTINGS, natsAddress, natsAddressAt, type NatsSettings } from './nats/nats-settings.ts';
export { logNatsReports, type NatsReport } from './nats/nats-report.ts';
export { NatsUnreachableError } from './nats/nats-trouble.ts';
export { monitorConnection, type ConnectionMonitor } from './nats/connection-monitor.ts';
export { StreamRefusedError, ensureStream, findStream, type StreamDefinition } from './nats/streams.ts';
export { natsClientOptions, natsMicroserviceOptions, type NatsMicroserviceOptions } from './nest/nats-options.ts';
export {
  JsonReplyDeserializer,
  JsonReplySerializer,
  JsonRequestDeserializer,
  JsonRequestSerializer,
  NatsReply,
  STATUS_HEADER,
  type JsonRequestReplyOptions,
  type ProblemDocument,
} from './nest/json-request-reply.ts';
export { JsonText, jsonTextOf } from './nest/json-text.ts';
export type { Admission, MessageDoor } from './nest/message-door.ts';
export { mapNatsClientError, ServiceUnavailableError } from './nest/service-unavailable.ts';
