/** What specs ask of an engine, in few words, and how they wait for what it does on its own. */
import type {
  AllocateRequest,
  AllocatedGroup,
  AllocatedReservation,
  HoldRequest,
  MovementsRequest,
  MovementsResult,
  Reservation,
} from '@onepool/contracts';
import {
  type Answer,
  type Refusal,
  type Settled,
  type StockEngine,
  type StockMemory,
  StockReads,
} from '@onepool/stock-data-access';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../config.ts';
import { SPEC } from '../testing/pool-fixture.ts';

export type EngineAnswer<T> = Settled<T, Refusal>;
type Lines = HoldRequest['lines'];
type VerbCall = Parameters<StockEngine['verb']>[2];
type VerbBody<V extends VerbCall['verb']> = Omit<Extract<VerbCall, { verb: V }>['body'], 'commandId'>;
type Movement = MovementsRequest['movements'][number];
export type AllocationGroup = AllocateRequest['groups'][number];
type ReservationMoves = AllocationGroup['reservations'][number];
export type Move = ReservationMoves['moves'][number];

/** One line is `['sku1', 2]`; the channel is `web`. `expiresInSeconds` may be a fraction here, which no edge lets in. */
export function hold(
  engine: StockEngine,
  id: string,
  lines: readonly (readonly [string, number])[],
  options: Partial<HoldRequest> = {},
): Promise<EngineAnswer<Reservation>> {
  const asked: Lines = lines.map(([sku, quantity]) => ({ sku, quantity }));
  return engine.hold(SPEC, { id, channel: 'web', lines: asked, ...options });
}

/** `commandId` is the reservation's id and the verb unless given. */
export function act<V extends VerbCall['verb']>(
  engine: StockEngine,
  reservation: string,
  verb: V,
  body: VerbBody<V> & { commandId?: string },
): Promise<EngineAnswer<Reservation>> {
  const request = { verb, body: { commandId: `${reservation}-${verb}`, ...body } } as VerbCall;
  return engine.verb(SPEC, reservation, request);
}

/** Units of whichever line of a SKU; a node that works on them is not named. */
export const shift = (sku: string, from: string, to: string, quantity: number): Move => ({
  sku,
  quantity,
  from: { node: from },
  to: { node: to },
});

export function allocate(
  engine: StockEngine,
  commandId: string,
  groups: readonly (readonly ReservationMoves[])[],
  options: Partial<AllocateRequest> = {},
): Promise<EngineAnswer<readonly Answer<AllocatedGroup>[]>> {
  const asked = groups.map((reservations) => ({ reservations: [...reservations] }));
  return engine.allocate(SPEC, { commandId, groups: asked, ...options });
}

/** Moves units of one reservation. `commandId` is its id and `move` unless given. */
export async function move(
  engine: StockEngine,
  id: string,
  expectedVersion: number,
  moves: readonly Move[],
  commandId = `${id}-move`,
): Promise<Answer<AllocatedReservation>> {
  const [answer] = done(await allocate(engine, commandId, [[{ id, expectedVersion, moves: [...moves] }]]));
  if (!answer) throw new Error('a group has no answer');
  if (!answer.ok) return answer;
  const [reservation] = answer.value.reservations;
  if (!reservation) throw new Error('a reservation has no answer');
  return { ok: true, value: reservation };
}

export function record(
  engine: StockEngine,
  id: string,
  movements: readonly Movement[],
  options: Partial<MovementsRequest> = {},
): Promise<EngineAnswer<MovementsResult>> {
  return engine.recordMovements(SPEC, { id, source: 'spec', movements: [...movements], ...options });
}

export const sale = (sku: string, node: string, quantity: number): Movement => ({ type: 'sale', sku, node, quantity });
export const receipt = (sku: string, node: string, quantity: number): Movement => ({
  type: 'receipt',
  sku,
  node,
  quantity,
});

/** What a spec meets where it did not expect a refusal. */
class RefusedError extends Error implements Refusal {
  readonly code: Refusal['code'];
  readonly details: Refusal['details'];

  constructor({ code, details }: Refusal) {
    super(`refused: ${code} ${JSON.stringify(details)}`);
    this.code = code;
    this.details = details;
  }
}

/** The value of what must have succeeded. */
export function done<T>(settled: Answer<T>): T {
  if (!settled.ok) throw new RefusedError(settled.rejection);
  return settled.value;
}

type Values<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<Answer<infer V>> ? (...args: A) => Promise<V> : T[K];
};

/** Reads of which every answer is a value; a refusal is thrown. */
export type SpecReads = Values<StockReads>;

export const readsOf = (engine: StockEngine, memory: StockMemory | null = null): SpecReads =>
  new Proxy(new StockReads(engine, memory), {
    get:
      (reads, name) =>
      async (...args: readonly unknown[]): Promise<unknown> => {
        const answer: unknown = await Reflect.apply(Reflect.get(reads, name) as () => unknown, reads, args);
        return typeof answer === 'object' && answer !== null && 'ok' in answer
          ? done(answer as Answer<unknown>)
          : answer;
      },
  }) as unknown as SpecReads;

/** The code of a refusal; null for success. */
export const codeOf = (settled: Answer<unknown>): string | null => (settled.ok ? null : settled.rejection.code);

/** Open units by node, as `{ n1: 2 }`. */
export function backedBy(reservation: Reservation, tally: 'held' | 'confirmed' = 'held'): Record<string, number> {
  const units: Record<string, number> = {};
  for (const backing of reservation.lines.flatMap(({ backings }) => backings)) {
    const node = backing.node ?? 'nowhere';
    if (backing[tally] > 0) units[node] = (units[node] ?? 0) + backing[tally];
  }
  return units;
}

const LOOK_EVERY_MS = 5;
/** A guard against waiting for ever, on however slow a machine. */
const LOOK_FOR_MS = 60_000;

/** Waits for a condition; fails when it does not come true. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LOOK_FOR_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Waits until `count` sessions of the database wait for a lock. */
export const untilWaiting = (dataSource: DataSource, count: number): Promise<void> =>
  until(`${count} sessions wait for a lock`, async () => {
    const rows: { count: number }[] = await dataSource.query(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (rows[0]?.count ?? 0) >= count;
  });

export interface HeldGate {
  /** Waits until `count` sessions of the database wait for a lock. */
  waitedForBy(count: number): Promise<void>;
  release(): Promise<void>;
}

/** Keeps a SKU's gate locked from a session of its own, as a replica that has stopped does. */
export async function holdGate(
  pool: { readonly url: string; readonly dataSource: DataSource },
  sku: string,
  idleInTransactionTimeoutMs = 0,
): Promise<HeldGate> {
  const client = new pg.Client({ connectionString: pool.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`SET search_path = ${SCHEMA}`);
  await client.query(`SET idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs}`);
  await client.query('BEGIN');
  await client.query(
    'SELECT FROM sku_gate WHERE sku_key = (SELECT sku_key FROM sku_code WHERE code = $1) FOR NO KEY UPDATE',
    [sku],
  );
  return {
    waitedForBy: (count) => untilWaiting(pool.dataSource, count),
    release: async () => {
      await client.query('COMMIT').catch(() => undefined);
      await client.end().catch(() => undefined);
    },
  };
}
