/**
 * Facts of an app, each to a typed handler by its name, over the durable consumer of platform-messaging. Facts without a
 * handler, such as those that a newer server has learned to tell, are passed over.
 */
import { type AppContract, type FactDefinition, factStream } from '@onepool/contracts';
import {
  type ConsumerHooks,
  type ConsumerOptions,
  type EffectPlace,
  type FactEvent,
  type RunningConsumer,
  type VersionStep,
  runConsumer,
} from '@onepool/platform-messaging';
import type { Static, TSchema } from '@sinclair/typebox';
import type pg from 'pg';
import { filterFor } from './filter-for.ts';

/** A fact as it was told: CloudEvents' id, source and time, the key by which it is in order, and its data. */
export interface Fact<Data> extends FactEvent {
  readonly data: Data;
}

type FactOf<C extends AppContract> = C['modules'][number]['facts'][number];
type DataOf<F, Id> = F extends { readonly id: infer I; readonly data: infer D extends TSchema }
  ? Id extends I
    ? Static<D>
    : never
  : never;

/** By the names of the contract. `Context` is what a handler gets beside its fact. */
export type FactHandlers<C extends AppContract, Context extends unknown[] = []> = {
  readonly [Id in FactOf<C>['id']]?: (fact: Fact<DataOf<FactOf<C>, Id>>, ...context: Context) => Promise<unknown>;
};

/** Versions of a key that were never delivered, after `missingFrom` and up to `missingTo`: read the key anew. */
export interface Gap {
  readonly key: string;
  readonly missingFrom: number;
  readonly missingTo: number;
}

export interface FactsOptions extends Omit<
  ConsumerOptions,
  'pool' | 'within' | 'schema' | 'stream' | 'filterSubject' | 'handler' | 'orderedBy' | 'hooks'
> {
  /** Told of each gap in the versions of a key. Only meaningful where a single instance consumes the durable. */
  readonly onGap?: (gap: Gap) => void;
  readonly hooks?: Omit<ConsumerHooks, 'onVersion'>;
}

/** Where it is kept which facts have taken effect: a schema with `messagingTables`. */
export interface InboxOptions {
  readonly inbox: { readonly pool: pg.Pool; readonly schema: string };
}

/** Transactions of another's making, in which each fact takes effect once: an app's units of work. */
export interface PlaceOptions<Context> {
  readonly within: EffectPlace<Context>;
}

export type ConsumeOptions<C extends AppContract, Context = never> =
  | (FactsOptions &
      InboxOptions & { readonly within?: undefined; readonly on: FactHandlers<C, [client: pg.PoolClient]> })
  | (FactsOptions &
      PlaceOptions<Context> & { readonly inbox?: undefined; readonly on: FactHandlers<C, [context: Context]> })
  | (FactsOptions & { readonly inbox?: undefined; readonly within?: undefined; readonly on: FactHandlers<C> });

/** The same without its types. */
interface AnyOptions extends FactsOptions, Partial<InboxOptions>, Partial<PlaceOptions<never>> {
  readonly on: Readonly<Record<string, ((fact: FactEvent, ...context: never[]) => Promise<unknown>) | undefined>>;
}

/**
 * With an `inbox` a handler gets a client of PostgreSQL too, in whose transaction each fact takes effect once; `within` does the
 * same in transactions that an app makes. Without either a fact may be handled again after a crash, so handlers compare versions.
 *
 * @throws Error where the handlers are of facts of several streams: each stream has a consumer of its own.
 * @example
 * const consumer = consumeFacts(AVAILABILITY, {
 *   connection,
 *   durable: 'reports',
 *   on: { skuChanged: async ({ data }) => index.put(data.sku, data.toVersion, data.rows) },
 *   onGap: ({ key }) => index.readAnew(key),
 * });
 */
export function consumeFacts<const C extends AppContract, Context = never>(
  contract: C,
  options: ConsumeOptions<C, Context>,
): RunningConsumer {
  return consume(contract, options as unknown as AnyOptions);
}

function consume(contract: AppContract, options: AnyOptions): RunningConsumer {
  const { on, onGap, inbox, within, hooks, ...more } = options;
  const { stream, facts } = streamOf(contract, Object.keys(on));
  const handlers = new Map(facts.map(({ id, subject }) => [subject, on[id]]));
  const settings = {
    ...more,
    stream,
    filterSubject: filterFor(facts.map(({ subject }) => subject)),
    orderedBy: stepOf,
    hooks: { ...hooks, onVersion: tellGaps(onGap) },
  };
  const handle = async (event: FactEvent, ...context: unknown[]): Promise<void> => {
    await handlers.get(event.subject)?.(event, ...(context as never[]));
  };
  if (inbox !== undefined) return runConsumer({ ...settings, ...inbox, handler: handle });
  if (within !== undefined) return runConsumer({ ...settings, within, handler: handle });
  return runConsumer({ ...settings, handler: (event) => handle(event) });
}

/** The one stream of the facts that have handlers, and those facts. */
function streamOf(contract: AppContract, ids: readonly string[]) {
  const found = contract.modules
    .map(({ scope, facts }) => ({ stream: factStream(scope).name, facts: facts.filter(({ id }) => ids.includes(id)) }))
    .filter(({ facts }) => facts.length > 0);
  const known = found.flatMap(({ facts }) => facts.map(({ id }: FactDefinition) => id));
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new Error(`${contract.title} tells no fact ${unknown.join(' nor ')}.`);
  const [one, another] = found;
  if (one === undefined) throw new Error('A consumer without handlers would only throw facts away.');
  if (another !== undefined) {
    throw new Error(`Facts of ${one.stream} and ${another.stream} need a consumer each: a durable reads one stream.`);
  }
  return one;
}

/** Facts that say from which version to which they took their key follow one another without a gap. */
function stepOf({ key, data }: FactEvent): VersionStep | undefined {
  const { fromVersion, toVersion } = (data ?? {}) as Readonly<Record<string, unknown>>;
  return typeof fromVersion === 'number' && typeof toVersion === 'number' ? { key, fromVersion, toVersion } : undefined;
}

const tellGaps =
  (onGap: FactsOptions['onGap']): NonNullable<ConsumerHooks['onVersion']> =>
  (_event, { key }, verdict) => {
    if (verdict.kind === 'gap') onGap?.({ key, missingFrom: verdict.missingFrom, missingTo: verdict.missingTo });
  };
