import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { FactEvent } from '../cloud-event.ts';
import type { StepVerdict, VersionStep } from './gap-tracker.ts';

/** Why and what was set aside. */
export interface DeadLetter {
  readonly reason: 'unparsable' | 'handler_failed' | 'redelivered_too_often';
  readonly error: unknown;
  /** Undefined if it could not be parsed. */
  readonly event: FactEvent | undefined;
  readonly subject: string;
  readonly stream: string;
  readonly streamSequence: number;
  readonly deliveries: number;
}

export type ConsumerAlarm =
  | { readonly kind: 'max_ack_pending_reached'; readonly ackPending: number }
  | { readonly kind: 'no_progress'; readonly pending: number };

/** Hooks for metrics, logs and the exception queue. Except for `onDeadLetter` they must not throw. */
export interface ConsumerHooks {
  readonly onHandled?: (event: FactEvent, outcome: 'effect' | 'duplicate') => void;
  /** Runs before the message is dropped from the stream's deliveries; if it fails, it is tried again later. */
  readonly onDeadLetter?: (letter: DeadLetter) => void | Promise<void>;
  readonly onAlarm?: (alarm: ConsumerAlarm) => void;
  readonly onVersion?: (event: FactEvent, step: VersionStep, verdict: StepVerdict) => void;
  readonly onError?: (error: unknown) => void;
}

/** Where effects take place, once each, in transactions of another's making, as units of work are. */
export interface EffectPlace<Context> {
  /** Lets `handle` run in a transaction that also records the event, unless it is recorded already. */
  once(event: FactEvent, handle: (context: Context) => Promise<void>): Promise<'effect' | 'duplicate'>;
  /** Fails while that place is away. */
  look(): Promise<unknown>;
}

export interface ConsumerOptions {
  readonly connection: NatsConnection;
  readonly pool: pg.Pool;
  readonly within?: undefined;
  /** The PostgreSQL schema with `messagingTables`. */
  readonly schema: string;
  readonly stream: string;
  /** Name of the durable consumer, and of its rows in the inbox. Letters, digits, `-` and `_`. */
  readonly durable: string;
  readonly filterSubject: string;
  /** Applies the event with `client`, in the transaction that also records it in the inbox. */
  readonly handler: (event: FactEvent, client: pg.PoolClient) => Promise<void>;
  /** Failures of the handler after which the message is a dead letter, 5 unless told. */
  readonly maxDeliver?: number;
  /** Delay before the next try, by number of failures; the last one repeats. 0.1, 0.5, 2, 10, 30 s unless told. */
  readonly backoffMs?: readonly number[];
  /** Events handled at once, of different keys, 8 unless told. Events of one key are handled one after the other. */
  readonly concurrency?: number;
  /** How long the server waits for an answer before it delivers again, 30 s unless told. */
  readonly ackWaitMs?: number;
  /** 1,000 unless told. */
  readonly maxAckPending?: number;
  /** How long nothing may move while messages wait before consumption is restarted, 15 s unless told. */
  readonly noProgressMs?: number;
  /** Versions of an event, to detect gaps. Only meaningful where a single instance consumes the durable. */
  readonly orderedBy?: (event: FactEvent) => VersionStep | undefined;
  /** True where the operator made the durable and the dead-letter stream, and we may make nothing. */
  readonly provisioned?: boolean;
  /** JetStream's domain, where we are a guest in an account of another; see `GUEST_DOMAIN` of the contracts. */
  readonly domain?: string;
  readonly hooks?: ConsumerHooks;
}

/**
 * For effects elsewhere than in PostgreSQL: without an inbox an event may be handled again, after a crash or a lost
 * acknowledgement, so what the handler does has to bear repetition.
 */
export interface UnstoredConsumerOptions extends Omit<ConsumerOptions, 'pool' | 'within' | 'schema' | 'handler'> {
  readonly pool?: undefined;
  readonly within?: undefined;
  readonly handler: (event: FactEvent) => Promise<void>;
}

/** For effects in transactions of another's making. */
export interface PlacedConsumerOptions<Context> extends Omit<
  ConsumerOptions,
  'pool' | 'within' | 'schema' | 'handler'
> {
  readonly pool?: undefined;
  readonly within: EffectPlace<Context>;
  readonly handler: (event: FactEvent, context: Context) => Promise<void>;
}

export type AnyConsumerOptions = ConsumerOptions | PlacedConsumerOptions<never> | UnstoredConsumerOptions;
