import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { variant } from '@onepool/platform-failpoints';
import type pg from 'pg';
import { areSpansMade, inSpan } from '@onepool/platform-tracing';
import { toMessageHeaders } from '../cloud-event.ts';
import { RecordedWindow } from '../outbox/recorded-window.ts';
import { type Acknowledgement, AckWindow } from './ack-window.ts';
import { CursorStore, type OutboxRow, type OwnedPartition, type ReadRequest } from './cursor-store.ts';
import { publishInKeyOrder } from './publish-in-key-order.ts';
import { StreamRefusedError } from '../nats/streams.ts';
import type { RelaySettings } from './relay-options.ts';
import { type Seen, verifyStream } from './verify-stream.ts';
import { Watermark } from './watermark.ts';

const SAVES_PER_LEASE = 10;
const MAX_SAVE_INTERVAL_MS = 1_000;
/**
 * While a stream is filled again reads are larger, since each costs a few round trips in which nothing is published. At other
 * times they are not: parsing a thousand facts in one go keeps everybody else in the process waiting.
 */
const REFILL_FACTOR = 4;
/** Bytes of data read at once of each partition, as the database stores them; a single row may be larger. */
const BATCH_BYTES = 1_048_576;

/** This relay may no longer publish: it could not renew its leases in time, so another may own them. */
export class LeaseExpiredError extends Error {
  override readonly name = 'LeaseExpiredError';
}

/** What one turn did: published rows, found nothing to do, or could not publish some. */
export type Turn = 'published' | 'quiet' | 'failed';

/**
 * The relay's state for the life of one PostgreSQL session. It dies with the session: after a crash of the server the
 * sequence may have fallen back behind what was seen but not committed, so only what was saved can be relied on.
 */
export class RelaySession {
  readonly #store: CursorStore;
  readonly #jetStream: JetStreamClient;
  readonly #ackWindow: AckWindow;
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #watermark = new Watermark();
  readonly #window = new RecordedWindow();
  readonly #saveIntervalMs: number;
  /** Monotonic local time, taken before the database gave the lease, so it ends here no later than there. */
  #leaseEndsAt = 0;
  #nextSaveAt = 0;
  #streamVerified = false;
  #nextVerifyAt = 0;
  #warnings: readonly string[] = [];
  #refusal: string | undefined;
  #seen: Seen | undefined;
  /** Of the stream, as other relays see it too. */
  #epoch = 0;

  readonly #settings: RelaySettings;

  constructor(settings: RelaySettings, client: pg.ClientBase) {
    this.#settings = settings;
    this.#store = new CursorStore(client, settings.schema, settings.owner);
    this.#jetStream = jetstream(settings.connection, { timeout: settings.publishTimeoutMs });
    this.#ackWindow = new AckWindow(settings.connection, settings.publishTimeoutMs);
    this.#saveIntervalMs = Math.min(MAX_SAVE_INTERVAL_MS, settings.leaseMs / SAVES_PER_LEASE);
  }

  get ownedPartitions(): readonly number[] {
    return [...this.#owned.keys()].sort((a, b) => a - b);
  }

  /** How many published ids are remembered; reading gets dearer with them, so the caller slows down. */
  get publishedAhead(): number {
    return [...this.#owned.values()].reduce((sum, item) => sum + item.progress.publishedCount, 0);
  }

  /** Whether something that the stream had acknowledged and lost is still to be published again. */
  get isRefilling(): boolean {
    return [...this.#owned.values()].some((item) => item.progress.isRefilling);
  }

  /** What an operator should know of the stream, as of the last look. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Why the server did not make the stream at the last look. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Everything up to it is published, of every partition. */
  get #lowest(): number {
    return Math.min(...[...this.#owned.values()].map((item) => item.progress.low));
  }

  get #pace(): number {
    return this.isRefilling ? REFILL_FACTOR : 1;
  }

  async open(): Promise<void> {
    await this.#store.createPartitions(this.#settings.partitionCount);
  }

  /** Makes the next turn compare the stream with what it acknowledged. */
  distrustStream(): void {
    this.#streamVerified = false;
  }

  /** One turn: keep the leases, verify the stream if needed, read, publish, advance. */
  async turn(): Promise<Turn> {
    await this.#renewIfDue();
    if (this.#owned.size === 0) return 'quiet';
    const isVerified = this.#streamVerified && performance.now() < this.#nextVerifyAt;
    if (!isVerified && !(await this.#verify())) return 'failed';
    const { lastId, clock, epoch } = await this.#store.readPosition();
    this.#epoch = epoch;
    this.#window.look(lastId, clock);
    this.#window.reached(this.#lowest);
    if ([...this.#owned.values()].every((item) => item.progress.low >= lastId)) return 'quiet';
    // The order of these statements is the proof; see Watermark.
    if (this.#watermark.needsMark(lastId)) this.#watermark.place(lastId, await this.#store.takeTransactionId());
    const requests = this.#readRequests();
    const bounds = { rows: this.#settings.batchSize * this.#pace, bytes: BATCH_BYTES };
    const { xmin, rows, readTo } = await this.#store.readUnpublished(
      requests,
      this.#window.condition,
      this.#publishedIds(),
      bounds,
    );
    this.#watermark.observe(xmin);
    const failed = await this.#publish(rows);
    this.#advance(requests, rows, readTo);
    if (failed) return 'failed';
    return rows.length > 0 ? 'published' : 'quiet';
  }

  async measure(): Promise<void> {
    const { hooks, backlogLimit } = this.#settings;
    if (hooks.onBacklog === undefined || this.#owned.size === 0) return;
    const backlog = await this.#store.measureBacklog(
      this.#readRequests(),
      this.#window.condition,
      this.#publishedIds(),
      backlogLimit + 1,
    );
    hooks.onBacklog({ ...backlog, alarm: backlog.rows > backlogLimit });
  }

  /** Saves and gives the partitions up, so that another relay need not wait for the leases. */
  async close(): Promise<void> {
    const owned = [...this.#owned.values()];
    this.#owned.clear();
    this.#ackWindow.close();
    await this.#store.save(owned, this.#settings.leaseMs);
    await this.#store.release(owned);
  }

  async #renewIfDue(): Promise<void> {
    const now = performance.now();
    if (now < this.#nextSaveAt) return;
    this.#nextSaveAt = now + this.#saveIntervalMs;
    const before = this.ownedPartitions.join();
    if (this.#owned.size > 0) {
      for (const { progress } of this.#owned.values()) progress.checkpoint(Date.now());
      const kept = await this.#store.save([...this.#owned.values()], this.#settings.leaseMs);
      for (const partition of this.#owned.keys()) if (!kept.has(partition)) this.#owned.delete(partition);
    }
    for (const item of await this.#store.claim(this.#settings.leaseMs)) {
      this.#owned.set(item.partition, item);
      this.#streamVerified = false;
      this.#window.forget();
    }
    this.#leaseEndsAt = now + this.#settings.leaseMs;
    if (this.ownedPartitions.join() !== before) this.#settings.hooks.onOwnership?.(this.ownedPartitions);
  }

  /** @returns whether the stream is known to hold what it acknowledged, or else is being filled again. */
  async #verify(): Promise<boolean> {
    // Set first: a reconnect during the check must not be forgotten.
    this.#streamVerified = true;
    this.#nextVerifyAt = performance.now() + this.#settings.verifyIntervalMs;
    const { hooks, stream } = this.#settings;
    try {
      const manager = await this.#jetStream.jetstreamManager(false);
      const verdict = await verifyStream(manager, stream, [...this.#owned.values()], this.#seen);
      const { rewinds, warnings, seen } = verdict;
      // Before anything is published again, and before anything is saved that hides the loss from who comes after a crash.
      if (rewinds.length > 0) await this.#store.stepEpoch();
      verdict.rewind();
      this.#seen = seen;
      this.#refusal = undefined;
      if (warnings.join() !== this.#warnings.join()) hooks.onWarnings?.(warnings);
      this.#warnings = warnings;
      if (rewinds.length > 0) this.#window.forget();
      for (const rewind of rewinds) hooks.onRewind?.(rewind);
      return true;
    } catch (error) {
      this.#streamVerified = false;
      if (error instanceof StreamRefusedError) this.#refusal = error.message;
      hooks.onError?.(error);
      return false;
    }
  }

  #readRequests(): ReadRequest[] {
    return [...this.#owned.values()].map(({ partition, progress }) => ({
      partition,
      low: progress.low,
      high:
        progress.publishedCount < this.#settings.maxPublishedAhead
          ? Number.MAX_SAFE_INTEGER
          : [...progress.publishedIds].reduce((highest, id) => Math.max(highest, id), progress.low),
    }));
  }

  #publishedIds(): number[] {
    return [...this.#owned.values()].flatMap(({ progress }) => [...progress.publishedIds]);
  }

  /** @returns whether something failed; then the stream is verified before the next attempt. */
  async #publish(rows: readonly OutboxRow[]): Promise<boolean> {
    let count = 0;
    const floors = new Map(
      [...this.#owned.values()].map(({ partition, progress }) => [partition, progress.position?.sequence ?? 0]),
    );
    const keyed = rows.map((row) => ({ id: row.outboxId, key: row.key, row }));
    const failure = await publishInKeyOrder(keyed, this.#settings.window * this.#pace, async ({ row }) => {
      const ack = await (areSpansMade() ? this.#publishInSpan(row) : this.#publishRow(row));
      // A new message below what was acknowledged before this turn can only be in another incarnation of the stream.
      if (!ack.duplicate && ack.seq <= (floors.get(row.partition) ?? 0)) this.#streamVerified = false;
      count += 1;
    });
    if (count > 0) this.#settings.hooks.onPublished?.(count);
    if (failure === undefined) return false;
    this.#streamVerified = false;
    this.#settings.hooks.onError?.(failure.error);
    return true;
  }

  /** Below the cause and not in a trace of its own, so that the time in the outbox shows between the two. */
  #publishInSpan(row: OutboxRow): Promise<Acknowledgement> {
    const start = {
      name: `publish ${row.subject}`,
      kind: 'producer',
      from: row.trace ?? null,
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': row.subject,
        'messaging.message.id': row.id,
      },
    } as const;
    return inSpan(start, () => this.#publishRow(row));
  }

  async #publishRow(row: OutboxRow): Promise<Acknowledgement> {
    if (performance.now() >= this.#leaseEndsAt) throw new LeaseExpiredError('The lease ended before it was renewed.');
    const progress = this.#owned.get(row.partition)?.progress;
    const headers = toMessageHeaders({ ...row, streamEpoch: this.#epoch });
    let ack = await this.#ackWindow.publish(row.subject, row.data, row.id, headers);
    // The server remembers the ids of messages for longer than it kept this one, so it gets another id.
    if (ack.duplicate && progress?.wasPurged(row.outboxId) === true)
      ack = await this.#ackWindow.publish(row.subject, row.data, `${row.id} again`, headers);
    progress?.recordPublished(row.outboxId, { sequence: ack.seq, eventId: row.id, at: Date.now() });
    return ack;
  }

  #advance(requests: readonly ReadRequest[], rows: readonly OutboxRow[], readTo: ReadonlyMap<number, number>): void {
    const firstMissing = new Map<number, number>();
    const unsure = variant('messaging.relay_passes_unacknowledged') ? [] : rows;
    for (const { partition, outboxId } of unsure) {
      const isMissing = this.#owned.get(partition)?.progress.isPublished(outboxId) === false;
      if (isMissing && !firstMissing.has(partition)) firstMissing.set(partition, outboxId);
    }
    for (const { partition, high } of requests) {
      const complete = Math.min(this.#watermark.settled, readTo.get(partition) ?? high);
      const published = (firstMissing.get(partition) ?? Number.POSITIVE_INFINITY) - 1;
      this.#owned.get(partition)?.progress.advance(Math.min(complete, published));
    }
  }
}
