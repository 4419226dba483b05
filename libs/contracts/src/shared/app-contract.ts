/** All that an app promises to others, in one value: what it answers, what it tells, and the words of both. */
import type { ModuleContract } from './module-contract.ts';
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

export interface AppContract {
  /** Also the app's NATS user. */
  readonly name: string;
  readonly title: string;
  /** What it is about: a sentence. */
  readonly description: string;
  readonly scopes: Readonly<Record<string, ScopeDefinition>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly examples: Readonly<Record<string, OperationExample>>;
  /** Codes of its own, besides the platform's. */
  readonly problems: Readonly<Record<string, ProblemDefinition>>;
  /** What it is made of, in the order of its reference. */
  readonly modules: readonly ModuleContract[];
  /** Facts of others that it consumes, each by a durable consumer of this name. */
  readonly consumes: readonly { readonly durable: string; readonly stream: string; readonly filterSubject: string }[];
  /** Imports (`import * as …`) whose exported schemas the documents describe below the names of their exports. */
  readonly schemas: readonly Readonly<Record<string, unknown>>[];
}
