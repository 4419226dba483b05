export {
  createClient,
  type Client,
  type ClientOptions,
  type NatsClient,
  type OverHttp,
  type OverNats,
} from './client.ts';
export type { CallOptions } from './call.ts';
export { type Answered, NoAnswerError, type Outcome, type Refused, RefusedError, valueOf } from './outcome.ts';
export type { AnswerOf, CodeOf, Pieces, ProblemOf, RequestOf, StreamBody } from './operation-types.ts';
export type { RetryOptions } from './repeating.ts';
export type { HttpOptions } from './transport/http-transport.ts';
export { UnsendableError } from './transport/transport.ts';
export {
  type ConsumeOptions,
  consumeFacts,
  type Fact,
  type FactHandlers,
  type FactsOptions,
  type Gap,
  type InboxOptions,
} from './facts/consume-facts.ts';
