/**
 * One operation of an app: what is sent, what is answered, by whom it may be called and how it may be refused. It is said
 * once; routes, subjects, validators, documents and clients are made from it.
 */
import type { Static, TSchema } from '@sinclair/typebox';

export interface HttpAddress {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** With parameters in braces: `/v1/reservations/{id}`. */
  readonly path: string;
  readonly success: 200 | 201 | 202;
}

/** `Scope` and `Code` are the names that the app's contract defines. */
export interface Operation<Scope extends string = string, Code extends string = string> {
  /** A title: a few words, without a full stop. */
  readonly summary: string;
  /** What the title leaves out. */
  readonly description?: string;
  readonly http: HttpAddress;
  /**
   * Core NATS request/reply subject. The payload is one object of the members of path, query and body, whose names do not
   * meet.
   */
  readonly subject?: string;
  /**
   * Why a call that was not answered may be sent again. `id` and `commandId` name the member, of the body or the query, by
   * which the app knows a call that it has already dealt with; `natural` is a call that changes nothing, or leaves behind the
   * same however often it is made. A GET is always `natural`, and does not say so.
   */
  readonly idempotency?: 'id' | 'commandId' | 'natural';
  readonly scope: Scope;
  /** Scopes that show or allow more than `scope` alone; the description says what. */
  readonly moreWith?: readonly Scope[];
  /** Whether only keys without limits to nodes and channels may call it, because it changes what is everybody's, or reads all of it. */
  readonly isForUnlimited?: boolean;
  /** Whether its call may say when it was sent by the clock that its times are of: the header `onepool-sent-at`. */
  readonly saysSentAt?: true;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** `text/csv` bodies are described by their columns instead of a schema. */
  readonly csvColumns?: readonly string[];
  /** Bodies that are read row by row as they arrive, by content type. */
  readonly stream?: { readonly contentTypes: readonly string[]; readonly row: TSchema; readonly description: string };
  readonly response: TSchema;
  /** Whether the answer is a CSV, which is sent as it is read; `response` is a text then, and there is no subject. */
  readonly csvAnswer?: true;
  /** Stable problem codes besides the platform's own (`request.*`, `auth.*`, `service.*`, `internal`). */
  readonly problems: readonly Code[];
  /** Codes of parts of a request that are refused by themselves, within the answer to the whole. */
  readonly problemsInAnswer?: readonly Code[];
}

export const get = (path: string) => ({ method: 'GET', path, success: 200 }) as const;
export const post = <S extends 200 | 201 | 202 = 200>(path: string, success: S = 200 as S) =>
  ({ method: 'POST', path, success }) as const;
export const put = (path: string) => ({ method: 'PUT', path, success: 200 }) as const;

export interface OperationExample {
  readonly params?: object;
  readonly query?: object;
  readonly body?: unknown;
  readonly csv?: string;
  readonly ndjson?: string;
  readonly response: unknown;
}

type Part<O, K extends string> = O extends { readonly [_ in K]: infer S extends TSchema }
  ? { readonly [_ in K]: Static<S> }
  : unknown;
type Text<O, K extends string, E extends string> = [Extract<keyof O, K>] extends [never]
  ? unknown
  : { readonly [_ in E]: string };

/** An example has what its operation has. */
export type ExampleOf<O> = Part<O, 'params'> &
  Part<O, 'query'> &
  Part<O, 'body'> &
  Part<O, 'response'> &
  Text<O, 'csvColumns' | 'stream', 'csv'> &
  Text<O, 'stream', 'ndjson'>;
