/** What the platform has to know of an operation to serve it. An app's contract says more. */
import type { Caller } from '@onepool/platform-auth';
import type { Static, TSchema } from '@sinclair/typebox';
import type { JsonText } from '@onepool/platform-messaging';

export interface ServedOperation {
  readonly http: {
    readonly method: 'GET' | 'POST' | 'PUT';
    /** With parameters in braces: `/v1/reservations/{id}`. */
    readonly path: string;
    readonly success: number;
  };
  /** NATS request/reply subject. Its payload is one object of the members of path, query and body. */
  readonly subject?: string;
  readonly scope: string;
  /** Whether it is refused to keys that are limited to nodes or channels. */
  readonly isForUnlimited?: boolean;
  /** Whether its call may say when it was sent by the clock that its times are of: the header `onepool-sent-at`. */
  readonly saysSentAt?: true;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** A `text/csv` body, read whole. */
  readonly csvColumns?: readonly string[];
  /** A body that is read as it arrives. */
  readonly stream?: { readonly contentTypes: readonly string[] };
  readonly response: TSchema;
  /** The answer is a {@link CsvAnswer}, over HTTP alone. */
  readonly csvAnswer?: true;
}

/** A CSV that is sent as it is read, however long it is. What fails after its first piece cuts the connection. */
export interface CsvAnswer {
  readonly fileName: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: AsyncIterable<string>;
}

type Part<O, K extends string> = O extends { readonly [_ in K]: infer S extends TSchema } ? Static<S> : Empty;
type Empty = Readonly<Record<string, never>>;
type BodyOf<O> = O extends { readonly stream: object }
  ? AsyncIterable<Uint8Array>
  : O extends { readonly csvColumns: readonly string[] }
    ? Buffer
    : O extends { readonly body: infer S extends TSchema }
      ? Static<S>
      : undefined;

/** One call of an operation, whichever way it came; its parts are what the schemas allow. */
export interface Call<O extends ServedOperation> {
  readonly params: Part<O, 'params'>;
  readonly query: Part<O, 'query'>;
  /** Bytes where the operation takes a CSV, the decompressed body in pieces where it takes a stream. */
  readonly body: BodyOf<O>;
  readonly caller: Caller;
  readonly via: 'http' | 'nats';
  /** When it was sent by its sender's clock, in milliseconds; null where that was not said or the operation does not ask. */
  readonly sentAt: number | null;
  /** Without parameters, in lower case; empty over NATS. */
  readonly contentType: string;
}

/** An answer is only read on its way out. */
type Told<T> = T extends readonly (infer I)[]
  ? readonly Told<I>[]
  : T extends object
    ? { readonly [K in keyof T]: Told<T[K]> }
    : T;

/** What a handler answers: a value of the response schema, or the text of one. */
export type AnswerOf<O extends ServedOperation> = O extends { readonly csvAnswer: true }
  ? CsvAnswer
  : Told<Static<O['response']>> | JsonText;
