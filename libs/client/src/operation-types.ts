/** What a caller writes and reads of one operation, inferred from the contract's table. */
import type { Operation } from '@onepool/contracts';
import type { PlatformProblemCode, Problem } from '@onepool/platform-problem';
import type { Static, TSchema } from '@sinclair/typebox';

type Flat<T> = { [K in keyof T]: T[K] };
/** What is only read on its way out may be frozen. */
type Given<T> = T extends readonly (infer I)[]
  ? readonly Given<I>[]
  : T extends object
    ? { readonly [K in keyof T]: Given<T[K]> }
    : T;

type AddressPart<O, K extends 'params' | 'query'> = O extends { readonly [_ in K]: infer S extends TSchema }
  ? Partial<Static<S>> extends Static<S>
    ? { readonly [_ in K]?: Given<Static<S>> }
    : { readonly [_ in K]: Given<Static<S>> }
  : { readonly [_ in K]?: never };

/** The pieces of a body that is sent as it comes. */
export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** A stream can be read once, so a call that sends one is not repeated; one that can open it anew is. */
export type StreamBody = string | Uint8Array | Pieces | (() => Pieces);

type BodyPart<O> = O extends { readonly stream: { readonly contentTypes: readonly (infer T)[] } }
  ? {
      readonly body: StreamBody;
      readonly contentType: T;
      /** Says that `body` is compressed already. */
      readonly contentEncoding?: 'gzip';
    }
  : O extends { readonly csvColumns: readonly string[] }
    ? { readonly body: string | Uint8Array }
    : O extends { readonly body: infer S extends TSchema }
      ? { readonly body: Given<Static<S>> }
      : { readonly body?: never };

/** What an operation is called with: `params`, `query` and `body` apart, as its handler gets them. */
export type RequestOf<O extends Operation> = Flat<AddressPart<O, 'params'> & AddressPart<O, 'query'> & BodyPart<O>>;

export type AnswerOf<O extends Operation> = Static<O['response']>;

/** Codes with which an operation refuses: its own and the platform's. A newer server may know more, so a `switch` has a default. */
export type CodeOf<O extends Operation> = O['problems'][number] | PlatformProblemCode;

/** A problem document (RFC 9457) with a code of the operation. */
export interface ProblemOf<Code extends string> extends Problem {
  readonly code: Code;
}
