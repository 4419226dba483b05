/**
 * What each app owns on NATS. The permissions of every NATS user are generated from this table, so a subject that is
 * not in it can be neither served nor published.
 */
import { FACTS_STREAM, FACTS_SUBJECTS } from './facts.ts';

export interface AppOnNats {
  /** Also the app's NATS user and the queue that its replicas share. */
  readonly name: string;
  /** Requests that it answers. */
  readonly requests: string;
  /** Facts that it publishes, and the stream that keeps them; none where it publishes none. */
  readonly facts?: { readonly stream: string; readonly subjects: readonly string[] };
  /** Facts of others that it consumes, each by a durable consumer of this name. */
  readonly consumes: readonly { readonly durable: string; readonly stream: string; readonly filterSubject: string }[];
}

export const APPS_ON_NATS: readonly AppOnNats[] = [
  {
    name: 'availability',
    requests: 'onepool.rpc.availability.>',
    facts: { stream: FACTS_STREAM, subjects: FACTS_SUBJECTS },
    consumes: [],
  },
];

/** Requests to any app. */
export const ALL_REQUESTS = 'onepool.rpc.>';

/**
 * The JetStream domain by which other teams' services reach the facts: they are kept in an account of their own, and see
 * of JetStream only their own durable consumer, under this name.
 */
export const GUEST_DOMAIN = 'onepool';
