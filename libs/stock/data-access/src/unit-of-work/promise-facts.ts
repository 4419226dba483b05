/**
 * Facts about promises that cannot be kept as they are: which of them are short, stranded, covered again or broken; and that an exception
 * is closed. Of many promises each fact names some, so that none is larger than a message may be.
 */
import {
  EXCEPTION_CLOSED,
  type ExceptionClosed,
  OWN_SOURCE,
  PROMISE_BROKEN,
  PROMISE_MENDED,
  PROMISE_SHORT,
  PROMISE_STRANDED,
  type PromiseBroken,
  type PromiseInTrouble,
  type PromiseShort,
  type ReservationChanged,
} from '@onepool/contracts';
import { type FactEvent, factId, factKey } from '@onepool/platform-messaging';
import type { NamedPromise, PromiseNews } from '../decision/batch-writes.ts';
import type { OpenException } from '../repository/open-exceptions.ts';
import { type Views, isoTime } from '../requests/views.ts';

/** What a fact needs besides its time and source. */
export interface Telling extends Pick<FactEvent, 'id' | 'key' | 'subject' | 'data'> {
  readonly trace: string | null;
}

const PROMISES_PER_FACT_MAX = 200;
/** NATS takes 1 MB by default, and consumers should not have to read half of it. */
const BYTES_PER_FACT_MAX = 256_000;

/** Slices of so many that each stays below the limits. */
export function* slicesOf<T>(items: readonly T[]): Generator<readonly T[], void, void> {
  let slice: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item));
    if (slice.length === PROMISES_PER_FACT_MAX || (slice.length > 0 && bytes + size > BYTES_PER_FACT_MAX)) {
      yield slice;
      [slice, bytes] = [[], 0];
    }
    slice.push(item);
    bytes += size;
  }
  if (slice.length > 0) yield slice;
}

const SUBJECTS = { short: PROMISE_SHORT, mended: PROMISE_MENDED, stranded: PROMISE_STRANDED } as const;

/** `now` in milliseconds. Rules and orders change without a version of the SKU, so that its version does not tell such facts apart. */
export function* promiseTellings(news: readonly PromiseNews[], views: Views, now: number): Generator<Telling> {
  for (const { fact, sku, node, line, quantity, promises } of news) {
    const at = { sku: views.sku(sku), node: views.node(node), ...(line === null ? {} : { inbound: line }) };
    const about = factKey(fact, at.sku, at.node, ...(line === null ? [] : [line.owner, line.id, line.line]));
    let part = 0;
    for (const some of slicesOf(promises.map((one) => promiseOf(one, views)))) {
      const data: PromiseShort = { ...at, quantity, promises: [...some], recordedAt: isoTime(now) };
      const key = factKey('sku', at.sku);
      yield { id: factId(about, now, ++part), key, subject: SUBJECTS[fact], data, trace: null };
    }
  }
}

function promiseOf(one: NamedPromise, views: Views): PromiseInTrouble {
  const { owner, id, order, line, fulfilment, quantity, dueAt, candidates } = one;
  return {
    reservation: id,
    owner,
    ...(order === null ? {} : { order }),
    line,
    ...(fulfilment === null ? {} : { fulfilment }),
    quantity,
    ...(dueAt === null ? {} : { dueAt: isoTime(dueAt) }),
    ...(candidates.length === 0
      ? {}
      : { candidates: candidates.map(({ node, atp: units }) => ({ node: views.node(node), units })) }),
  };
}

interface ReservationTelling {
  readonly data: ReservationChanged;
  readonly part: number;
  readonly trace: string | null;
}

/** Units that were given up, by SKU, node and reason. */
export function* brokenTellings(facts: readonly ReservationTelling[], now: number): Generator<Telling> {
  const groups = new Map<string, Broken>();
  for (const { data, part, trace } of facts) {
    if (data.fact !== 'given_up') continue;
    const { reservation, owner, order, version, actor } = data;
    const reason = actor === OWN_SOURCE ? 'deadline' : 'given_up';
    for (const { sku, node, line, fulfilment, quantity } of data.changes) {
      const name = JSON.stringify([sku, node, reason]);
      const first = `${factKey('broken', sku, node ?? '', owner, reservation)}@${version}.${part}`;
      const group = groups.get(name) ?? { sku, node, reason, first, trace, promises: [] };
      group.promises.push({
        reservation,
        owner,
        ...(order === undefined ? {} : { order }),
        line,
        quantity,
        ...(fulfilment === undefined ? {} : { fulfilment }),
      });
      groups.set(name, group);
    }
  }
  for (const { sku, node, reason, first, trace, promises } of groups.values()) {
    let part = 0;
    for (const some of slicesOf(promises)) {
      const quantity = some.reduce((sum, one) => sum + one.quantity, 0);
      const data: PromiseBroken = { sku, node, quantity, reason, promises: [...some], recordedAt: isoTime(now) };
      yield { id: factId(first, now, ++part), key: factKey('sku', sku), subject: PROMISE_BROKEN, data, trace };
    }
  }
}

interface Broken extends Pick<PromiseBroken, 'sku' | 'node' | 'reason'> {
  /** Names it for ever: the first of its reservations, and which version of it. */
  readonly first: string;
  readonly trace: string | null;
  readonly promises: PromiseInTrouble[];
}

/** An exception is closed once. `now` in milliseconds. */
export function* closedTellings(closed: readonly ClosedException[], views: Views, now: number): Generator<Telling> {
  for (const { key, code, sku: skuKey, node: nodeKey, line, openedAt } of closed) {
    const [sku, node] = [views.sku(skuKey), views.node(nodeKey)];
    const data: ExceptionClosed = {
      ...{ exception: `exc_${key}`, code, subject: exceptionSubject({ sku, node, line }), sku, node },
      ...(line === null ? {} : { inbound: line }),
      ...{ openedAt: isoTime(openedAt), closedAt: isoTime(now) },
    };
    const id = factId(factKey('exception', String(key)), 1);
    yield { id, key: factKey('sku', sku), subject: EXCEPTION_CLOSED, data, trace: null };
  }
}

export type ClosedException = Pick<OpenException, 'key' | 'code' | 'sku' | 'node' | 'line' | 'openedAt'>;

/** What an exception is about, by codes and ids: of a code there is at most one open for each. */
export const exceptionSubject = ({
  sku,
  node,
  line,
}: {
  readonly sku: string;
  readonly node: string;
  readonly line: OpenException['line'];
}): string => (line === null ? factKey('stock', sku, node) : factKey('inbound', line.owner, line.id, line.line));
