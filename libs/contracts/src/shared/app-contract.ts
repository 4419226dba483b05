/** All that an app promises to others, in one value: what it answers, what it tells, and the words of both. */
import type { TSchema } from '@sinclair/typebox';
import type { Operation, OperationExample } from './operation.ts';

export interface ScopeDefinition {
  /** What a key with the scope may do, as the end of the sentence "It may …". */
  readonly may: string;
  /** Whether it is given by name alone, and never by `all`: its holder may act on what is somebody else's. */
  readonly explicit?: boolean;
  /** Whether only a person may use it, or a service on behalf of a named person. */
  readonly human?: boolean;
}

export interface ProblemDefinition {
  readonly status: number;
  readonly title: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
}

export interface FactDefinition {
  /** A name for tools: `skuChanged`. */
  readonly id: string;
  /** Also the type of the CloudEvent. */
  readonly subject: string;
  readonly data: TSchema;
  /** A sentence. */
  readonly summary: string;
  readonly description: string;
}

/** Facts of one part of the product, and the JetStream stream that keeps them. */
export interface FactStream {
  readonly stream: string;
  readonly subjects: readonly string[];
  readonly facts: readonly FactDefinition[];
}

/** A part of the API, in the order of its reference; `paths` says which operations belong to it. */
export interface ApiPart {
  readonly name: string;
  readonly paths: RegExp;
  readonly description: string;
}

export interface AppContract {
  /** Also the app's NATS user, the queue that its replicas share, and the second word of its request subjects. */
  readonly name: string;
  readonly title: string;
  /** What it is about: a sentence. */
  readonly description: string;
  readonly scopes: Readonly<Record<string, ScopeDefinition>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly examples: Readonly<Record<string, OperationExample>>;
  /** Codes of its own, besides the platform's. */
  readonly problems: Readonly<Record<string, ProblemDefinition>>;
  /** Facts that it publishes, by stream. */
  readonly streams: readonly FactStream[];
  /** Facts of others that it consumes, each by a durable consumer of this name. */
  readonly consumes: readonly { readonly durable: string; readonly stream: string; readonly filterSubject: string }[];
  /** What only other apps may ask of it and hear from it; no guest of the NATS server sees these subjects. */
  readonly internal: {
    /** Requests, `onepool.internal.…`, each with the queue that its replicas share: that of the module, which may move out. */
    readonly answers: readonly { readonly subject: string; readonly queue: string }[];
    /** Broadcasts, `onepool.beat.…`. */
    readonly tells: readonly string[];
  };
  readonly parts: readonly ApiPart[];
  /** Modules of the contract, whose exported schemas the documents describe below the names of their exports. */
  readonly schemas: readonly Readonly<Record<string, unknown>>[];
}

/** Everything that an app may be asked over NATS. */
export const requestsOf = ({ name }: Pick<AppContract, 'name'>): string => `onepool.rpc.${name}.>`;
