/**
 * Snapshots: the pages from which a consumer of facts begins that was not there from the first fact on. A page says as of which
 * position of the stream it is at least; its items are absolute and carry their versions, as the facts about them do, so that
 * neither the order of pages and facts matters nor how often one comes.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FactDefinition } from './fact-definition.ts';
import type { Operation } from './operation.ts';
import { Version, closed } from './primitives.ts';

/** NATS refuses a message of a megabyte; facts and pages stay well below. */
export const PAGE_BYTES_MAX = 512 * 1024;
/** For the position, the cursor and the brackets around the items. */
const FRAME_BYTES = 4_096;

export const Position = Type.String({
  pattern: '^[1-9]\\d{0,14}:(0|[1-9]\\d{0,14})$',
  description:
    'A place in the stream, `epoch:sequence`: every fact at or below it was committed before this was read. The epoch steps when the stream is found short of facts; a sequence says nothing in another.',
});

const itemOf = <T extends TSchema>(value: T) =>
  closed({
    key: Type.String({ minLength: 1, maxLength: 2_048, description: 'What the item is known by; it never changes.' }),
    version: Version,
    value: Type.Union([value, Type.Null()], { description: 'All there is to know of it; null once it is deleted.' }),
  });

/** The answer of an operation that reads a snapshot, in the order of keys. `value`: the schema of an item that is there. */
export const snapshotPageOf = <T extends TSchema>(value: T) =>
  closed({
    position: Position,
    items: Type.Array(itemOf(value)),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
  });

export interface SnapshotItem<Value> {
  readonly key: string;
  readonly version: number;
  readonly value: Value | null;
}

export interface SnapshotPage<Value> {
  readonly position: string;
  readonly items: SnapshotItem<Value>[];
  readonly nextCursor: string | null;
}

/**
 * A page of as many items as fit into {@link PAGE_BYTES_MAX}; one at least, whatever its size.
 *
 * @param rows in the order of their keys: one more than `limit` where there are more. A list that is cut has a `nextCursor`.
 * @example cutPage(formatPosition(position), await read({ after, count: limit + 1 }), limit, cursorAfter)
 */
export function cutPage<Value>(
  position: string,
  rows: readonly SnapshotItem<Value>[],
  limit: number,
  cursorAfter: (key: string) => string,
): SnapshotPage<Value> {
  const items: SnapshotItem<Value>[] = [];
  const encoder = new TextEncoder();
  let bytes = FRAME_BYTES;
  for (const row of rows.slice(0, limit)) {
    bytes += encoder.encode(JSON.stringify(row)).length + 1;
    if (bytes > PAGE_BYTES_MAX && items.length > 0) break;
    items.push(row);
  }
  const last = items.at(-1);
  return { position, items, nextCursor: last && items.length < rows.length ? cursorAfter(last.key) : null };
}

/** How pages and facts belong together, of one kind of thing. */
export interface SnapshotDefinition {
  /** The operation that answers the pages. */
  readonly pages: string;
  /** The member of each fact's data that holds the key of the item it is about. */
  readonly key: string;
  /** By the names of facts: the member of their data that is the item's `value`, after the fact. `toVersion` is its version. */
  readonly facts: Readonly<Record<string, string>>;
}

type Operations = Readonly<Record<string, Operation>>;
type Facts = readonly FactDefinition[];

/** What an item of the operation's pages is; never where it answers none. */
export type SnapshotValue<O> = O extends {
  readonly response: infer R extends TSchema;
  readonly query: infer Q extends TSchema;
}
  ? 'cursor' | 'limit' extends keyof Static<Q>
    ? Static<R> extends { position: string; items: { key: string; version: number; value: infer V }[] }
      ? Exclude<V, null>
      : never
    : never
  : never;

type PageIds<Ops> = { [Id in keyof Ops]: [SnapshotValue<Ops[Id]>] extends [never] ? never : Id }[keyof Ops] & string;
type DataOf<F extends Facts, Id> = Static<Extract<F[number], { readonly id: Id }>['data']>;
/** Members of the data that can be the value of an item. */
type StateMembers<Data, Key extends string, Value> =
  Data extends Readonly<Record<Key, string> & Record<'fromVersion' | 'toVersion', number>>
    ? { [M in keyof Data]: [Data[M]] extends [Value | null] ? M : never }[keyof Data] & string
    : never;
interface Fitting<Ops extends Operations, F extends Facts, S extends SnapshotDefinition> {
  readonly pages: PageIds<Ops>;
  readonly key: string;
  readonly facts: {
    readonly [Id in keyof S['facts']]: Id extends F[number]['id']
      ? StateMembers<DataOf<F, Id>, S['key'], SnapshotValue<Ops[S['pages']]>>
      : never;
  };
}

/**
 * The snapshots of a stream, by the names under which a consumer finds the items. The compiler refuses an operation that answers
 * no pages, a fact that there is not, and a member that is not what the pages hold.
 *
 * @example
 * snapshotsOf(OPERATIONS, FACTS, {
 *   skus: { pages: 'snapshotSkus', key: 'sku', facts: { skuDescribed: 'state', skuRemoved: 'state' } },
 * })
 */
export const snapshotsOf = <
  const Ops extends Operations,
  const F extends Facts,
  const S extends Readonly<Record<string, SnapshotDefinition>>,
>(
  _operations: Ops,
  _facts: F,
  snapshots: S & { readonly [Name in keyof S]: Fitting<Ops, F, S[Name]> },
): S => snapshots;
