/** Reads: ATP, stock, ledger, reservations, exceptions and the proof of the ledger. */
import assert from 'node:assert/strict';
import type {
  Atp,
  AtpManyRequest,
  LedgerEntry,
  LedgerVerification,
  Reservation as ReservationView,
  SkuStop,
  StockException,
  StockOfSku,
} from '@onepool/contracts';
import { Slices } from '@onepool/platform-clock';
import { nameInKey } from '@onepool/platform-messaging';
import {
  ACCOUNTS,
  type ChannelAtp,
  type NodeKey,
  type Perspective,
  type SellingChannel,
  type SellingRules,
  type SkuKey,
  type SkuSupply,
  accept,
  aheadOf,
  channelAtp,
  nextEnd,
  noSupply,
  reject,
  stopsOf,
} from '@onepool/stock-domain';
import type { Limit } from '@onepool/platform-rights';
import type pg from 'pg';
import type { StockEngine } from '../engine/engine.ts';
import { proveLedger } from './ledger-proof.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { readReservation } from '../repository/stored-reservations.ts';
import { type Answer, refuse } from '../requests/refusal.ts';
import type { Asker } from '../requests/command.ts';
import { beyond, channelOf, nodeKeys, skuKeys } from '../requests/resolve.ts';
import { type Snapshot, readSnapshots } from '../repository/snapshots.ts';
import type { Known, StockMemory } from './stock-memory.ts';
import { Views, isoTime } from '../requests/views.ts';
import { exceptionSubject } from '../unit-of-work/promise-facts.ts';
import type { LineName } from '../repository/healing-reads.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A thousand SKUs at hundreds of nodes each are work of a tenth of a second: others get a turn after so many rows. */
const ROWS_PER_SLICE = 5_000;

/** What a channel was last told of a snapshot; kept with it. */
const ANSWER = Symbol('answer');

interface Answered {
  [ANSWER]?: ToldAtp;
}

interface ToldAtp {
  readonly rules: SellingRules;
  readonly channel: SellingChannel;
  /** Milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly atp: FoundAtp;
}

interface FoundAtp extends ChannelAtp {
  /** Units that may be promised beyond it to those who may wait. */
  readonly ahead: number;
}

const findAtp = (supply: SkuSupply, rules: SellingRules, perspective: Perspective): FoundAtp => ({
  ...channelAtp(supply, rules, perspective),
  ahead: aheadOf(supply, rules, perspective).reduce((sum, { units }) => sum + units, 0),
});

/** The next moment after `now` at which a line is late, and promises nothing any more. */
const nextDue = ({ inbound }: SkuSupply, now: number): number =>
  inbound.reduce((next, { dueAt }) => (dueAt !== null && dueAt >= now ? Math.min(next, dueAt + 1) : next), Infinity);

export interface ExceptionPage {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly nodes?: Limit;
}

export interface StopPage {
  readonly sku?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface LedgerPage {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Whether the reader may know which principal or event moved the units: scope `stock:audit`. */
  readonly isAuditor: boolean;
}

export class StockReads {
  readonly #pool: pg.Pool;
  readonly #proofs = new OneAtATime();
  readonly #counts = new OneAtATime();

  readonly #engine: StockEngine;
  readonly #memory: StockMemory | null;

  /** With a memory, ATP comes from it; without one, from the database. */
  constructor(engine: StockEngine, memory: StockMemory | null = null) {
    this.#engine = engine;
    this.#memory = memory;
    this.#pool = engine.readPool;
  }

  /** ATP of many SKUs for a channel, in the order asked. Overdue holds count as free, as they do where one commits. */
  async atp({ channel, skus, nodes, byNode = false, minVersion = 0 }: AtpManyRequest): Promise<Answer<Atp[]>> {
    const rules = this.#memory ? await this.#memory.rules() : await this.#engine.rules.current();
    const views = new Views(rules, this.#engine.codes);
    const selling = channelOf(rules, channel);
    if (!selling.ok) return selling;
    const only = nodeKeys(rules, nodes ?? []);
    if (!only.ok) return only;
    const keys = await skuKeys(this.#engine.codes, skus);
    if (!keys.ok) return keys;
    const perspective = { channel: selling.value, nodes: nodes ? new Set(only.value) : null };
    const known = await this.#read(skus, keys.value, minVersion);
    const slices = new Slices(ROWS_PER_SLICE);
    const answers: Atp[] = [];
    for (const [index, { snapshot, asOf }] of known.entries()) {
      const sku = skus[index] ?? '';
      const version = snapshot?.version ?? 0;
      if (version < minVersion) return refuse('version.not_reached', { sku, version });
      const supply = snapshot?.supply ?? noSupply(keys.value[index] ?? 0);
      const found = this.#atpOf(snapshot, supply, rules, { ...perspective, now: asOf });
      const told = {
        ...{ sku, channel, atp: found.atp },
        ...(found.ahead === 0 ? {} : { atpWithIncoming: found.atp + found.ahead }),
        ...{ version, asOf: isoTime(asOf) },
      };
      if (!byNode) answers.push(told);
      else answers.push({ ...told, nodes: found.nodes.map(({ node, atp }) => ({ node: views.node(node), atp })) });
      if (slices.isFull(1 + supply.rows.length)) await slices.next();
    }
    return accept(answers);
  }

  /** The same question about the same snapshot has the same answer until a rule changes, or begins or ends by the clock. */
  #atpOf(snapshot: Snapshot | null, supply: SkuSupply, rules: SellingRules, perspective: Perspective): FoundAtp {
    if (snapshot === null || perspective.nodes !== null) return findAtp(supply, rules, perspective);
    const known = (snapshot as Answered)[ANSWER];
    const { channel, now } = perspective;
    if (known?.rules === rules && known.channel === channel && now >= known.from && now < known.until) return known.atp;
    const atp = findAtp(supply, rules, perspective);
    const until = Math.min(rules.changesAfter(now), nextEnd(stopsOf(supply), now), nextDue(supply, now));
    (snapshot as Answered)[ANSWER] = { rules, channel, from: now, until, atp };
    return atp;
  }

  async #read(codes: readonly string[], keys: readonly SkuKey[], minVersion: number): Promise<readonly Known[]> {
    const skus = keys.map((key, index) => ({ code: codes[index] ?? '', key }));
    if (this.#memory) return this.#memory.read(skus, minVersion);
    const found = await readSnapshots(this.#pool, [...new Set(keys)]);
    return keys.map((key) => ({ snapshot: found.get(key) ?? null, asOf: found.get(key)?.asOf ?? Date.now() }));
  }

  async atpOfOne(request: AtpManyRequest): Promise<Answer<Atp>> {
    const answers = await this.atp(request);
    if (!answers.ok) return answers;
    const [only] = answers.value;
    assert(only, 'there is an answer for every SKU');
    return accept(only);
  }

  async stock(sku: string): Promise<Answer<StockOfSku>> {
    const keys = await skuKeys(this.#engine.codes, [sku]);
    if (!keys.ok) return keys;
    const [key = 0] = keys.value;
    const snapshot = (await readSnapshots(this.#pool, [key])).get(key);
    const views = new Views(await this.#engine.rules.current(), this.#engine.codes);
    const rows = snapshot ? views.stockRows(snapshot.supply) : [];
    return accept({ sku, version: snapshot?.version ?? 0, asOf: isoTime(snapshot?.asOf ?? Date.now()), rows });
  }

  /** One of `owner`'s, the asker itself unless told, in a channel in which the asker may sell. */
  async reservation(asker: Asker, id: string, owner = asker.actor): Promise<Answer<ReservationView>> {
    const stored = await readReservation(this.#pool, owner, id);
    if (!stored) return refuse('reservation.unknown', { reservation: id });
    await this.#engine.codes.learn(stored.reservation.lines.map(({ sku }) => sku));
    const views = new Views(await this.#engine.rules.current(), this.#engine.codes);
    const forbidden = beyond(asker, { kind: 'selling', channel: views.channel(stored.reservation.channel) });
    return forbidden ? reject(forbidden) : accept(views.reservation(stored));
  }

  /** Ledger of one SKU, oldest first; the cursor is `version.ordinal`. Who moved the units shows only to an auditor. */
  async ledger(sku: string, { limit, cursor, isAuditor }: LedgerPage): Promise<Answer<Page<LedgerEntry>>> {
    const keys = await skuKeys(this.#engine.codes, [sku]);
    if (!keys.ok) return keys;
    const [key = 0] = keys.value;
    const [version = 0, ordinal = -1] = (cursor ?? '').split('.').filter(Boolean).map(Number);
    const views = new Views(await this.#engine.rules.current(), this.#engine.codes);
    const { rows } = await this.#pool.query<LedgerRecord>(
      `SELECT l.*, coalesce(nullif(s.name, ''), s.principal) AS source FROM ledger l JOIN source s USING (source_key)
        WHERE l.sku_key = $1 AND (l.sku_version, l.ordinal) > ($2, $3) ORDER BY l.sku_version, l.ordinal LIMIT $4`,
      [key, Number.isFinite(version) ? version : 0, Number.isFinite(ordinal) ? ordinal : -1, limit],
    );
    const items = rows.map((row) => toLedgerEntry(row, sku, views, isAuditor));
    return accept({ items, nextCursor: items.length === limit ? (items.at(-1)?.entry ?? null) : null });
  }

  /** Stops that name a SKU, of all of them or of one; the cursor is `sku.node.channel`, by keys. */
  async stops({ sku, limit, cursor = '0.0.0' }: StopPage): Promise<Answer<Page<SkuStop>>> {
    const only = sku === undefined ? accept([]) : await skuKeys(this.#engine.codes, [sku]);
    if (!only.ok) return only;
    const views = new Views(await this.#engine.rules.current(), this.#engine.codes);
    const { rows } = await this.#pool.query<StopRecord>(
      `SELECT sku_key, code, node_key, channel_key, drains, since, until FROM sku_stop JOIN sku_code USING (sku_key)
        WHERE ($1::int IS NULL OR sku_key = $1) AND (sku_key, node_key, channel_key) > ($2, $3, $4)
        ORDER BY sku_key, node_key, channel_key LIMIT $5`,
      [only.value[0] ?? null, ...cursor.split('.'), limit],
    );
    const last = rows.length === limit ? rows.at(-1) : undefined;
    const items = rows.map(({ code, node_key, channel_key, drains, since, until }): SkuStop => {
      const stop = { node: node_key || null, channel: channel_key || null, drains, until: until?.getTime() ?? null };
      return { sku: code, ...views.stop(stop), since: since.toISOString() };
    });
    return accept({ items, nextCursor: last ? `${last.sku_key}.${last.node_key}.${last.channel_key}` : null });
  }

  /** Those of nodes at which the reader may work: open ones first, then the latest closed. The cursor is the exception's key. */
  async exceptions({ limit, cursor, nodes = 'all' }: ExceptionPage): Promise<Page<StockException>> {
    const rules = await this.#engine.rules.current();
    const views = new Views(rules, this.#engine.codes);
    const keys = nodes === 'all' ? null : [...nodes].flatMap((code) => rules.nodesByCode.get(code)?.key ?? []);
    const { rows } = await this.#pool.query<ExceptionRecord>(
      `SELECT e.exception_key, e.code, e.node_key, e.quantity, e.refs->'inbound' AS line, e.due_at, e.opened_at, e.closed_at, s.code AS sku
         FROM stock_exception e JOIN sku_code s USING (sku_key)
        WHERE ($3::int[] IS NULL OR e.node_key = ANY($3))
          AND ($1::bigint IS NULL OR (e.closed_at IS NOT NULL, -e.exception_key) > ((SELECT closed_at IS NOT NULL FROM stock_exception WHERE exception_key = $1), -$1))
        ORDER BY (e.closed_at IS NOT NULL), -e.exception_key LIMIT $2`,
      [cursor && /^exc_\d{1,18}$/.test(cursor) ? cursor.slice(4) : null, limit, keys],
    );
    const items = rows.map((row): StockException => {
      const { code, sku, line, quantity, due_at: dueAt } = row;
      const node = views.node(row.node_key);
      return {
        ...{ id: `exc_${row.exception_key}`, code, subject: exceptionSubject({ sku, node, line }), sku, node },
        ...(line === null ? {} : { inbound: line }),
        quantity,
        ...(dueAt === null ? {} : { dueAt: dueAt.toISOString() }),
        openedAt: row.opened_at.toISOString(),
        closedAt: row.closed_at?.toISOString() ?? null,
      };
    });
    return { items, nextCursor: items.length === limit ? (items.at(-1)?.id ?? null) : null };
  }

  /**
   * How many facts the outbox holds about SKUs and reservations whose own name begins with `prefix`.
   * Refused with `limit.rate` while another count runs in this replica.
   */
  countEvents(prefix: string): Promise<Answer<number>> {
    return this.#counts.run(async () => {
      const { rows } = await this.#engine.auditPool.query<{ written: number }>(
        `SELECT count(*) AS written FROM outbox WHERE starts_with(split_part(key, '/', -1), $1)`,
        [nameInKey(prefix)],
      );
      return rows[0]?.written ?? 0;
    });
  }

  /**
   * Proves that every balance is the sum of its ledger, for SKUs whose code begins with `prefix`; see {@link proveLedger}.
   * Refused with `limit.rate` while another proof runs in this replica.
   */
  async verifyLedger(prefix: string | undefined): Promise<Answer<LedgerVerification>> {
    const proof = await this.#proofs.run(async () => {
      const views = new Views(await this.#engine.rules.current(), this.#engine.codes);
      return proveLedger(this.#engine.auditPool, prefix, views);
    });
    return proof.ok ? proof.value : proof;
  }
}

interface LedgerRecord {
  sku_version: number;
  ordinal: number;
  node_key: NodeKey;
  from_state: number;
  to_state: number;
  quantity: number;
  reason: string;
  source: string;
  source_event_id: string | null;
  occurred_at: Date;
  recorded_at: Date;
}

interface StopRecord {
  sku_key: SkuKey;
  code: string;
  node_key: NodeKey;
  channel_key: number;
  drains: boolean;
  since: Date;
  until: Date | null;
}

interface ExceptionRecord {
  code: StockException['code'];
  exception_key: number;
  sku: string;
  node_key: NodeKey;
  quantity: number;
  line: LineName | null;
  due_at: Date | null;
  opened_at: Date;
  closed_at: Date | null;
}

const toLedgerEntry = (row: LedgerRecord, sku: string, views: Views, isAuditor: boolean): LedgerEntry => ({
  entry: `${row.sku_version}.${row.ordinal}`,
  sku,
  node: views.node(row.node_key),
  from: ACCOUNTS[row.from_state] ?? '',
  to: ACCOUNTS[row.to_state] ?? '',
  quantity: row.quantity,
  reason: row.reason,
  ...(isAuditor && { source: row.source, sourceEventId: row.source_event_id }),
  version: row.sku_version,
  occurredAt: row.occurred_at.toISOString(),
  recordedAt: row.recorded_at.toISOString(),
});
