/**
 * Keeps a mirror equal to what an app's snapshots and facts say, in turns: build it where it cannot be gone on with, then follow
 * the facts until something shows that it cannot.
 *
 * A generation is built so: a durable keeps the facts from now on; then the pages are read, of which each has in what was
 * committed before; facts are applied all the while; when those are in that the last page might have had in, the generation is
 * complete and is read from then on. Rows are absolute and the newest version wins. So nothing is missed between page and fact,
 * and nothing has to be in order.
 *
 * A crash leaves a generation that is gone on with at the next page, if its durable is still the one that has kept the facts since
 * the first, and is begun anew otherwise. {@link whyAnew} lists what else ends a generation.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import type { SnapshotPage } from '@onepool/contracts';
import { variant } from '@onepool/platform-failpoints';
import {
  type ConsumerHooks,
  parsePosition,
  runConsumer,
  type StreamPosition,
  WakeUp,
} from '@onepool/platform-messaging';
import { type Answered, type Refused, valueOf } from '../outcome.ts';
import { FactIntake, NewEpochError } from './fact-intake.ts';
import type { MirrorPlan } from './mirror-plan.ts';
import { type MirrorState, type MirrorStore, type NextPage, SupersededError } from './mirror-store.ts';
import { type Look, Site } from './site.ts';
import { type AnewReason, whyAnew } from './why-anew.ts';

/**
 * `building`: it is being built, the first time or anew; `following`: what was in the stream at the last look is in; `behind`: that
 * is not so, or it could not be looked at.
 */
export type MirrorStage = 'building' | 'following' | 'behind';

export interface MirrorHooks extends Pick<ConsumerHooks, 'onAlarm' | 'onDeadLetter' | 'onHandled'> {
  /** It is built anew from here. */
  readonly onAnew?: (reason: AnewReason) => void;
  /** Something failed; it goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

export type AnyPages = Readonly<
  Record<
    string,
    (request: {
      readonly query: { readonly limit: number; readonly cursor?: string };
    }) => Promise<Answered<unknown> | Refused<string>>
  >
>;

export interface FollowerSettings {
  readonly connection: NatsConnection;
  readonly durable: string;
  readonly provisioned: boolean;
  readonly domain: string | undefined;
  readonly client: AnyPages;
  readonly plan: MirrorPlan;
  readonly store: MirrorStore<never>;
  readonly pageItems: number;
  readonly concurrency: number;
  readonly lookIntervalMs: number;
  readonly hooks: MirrorHooks;
}

const RETRY_MS = 250;
const OTHER_BUILDS_MS = 500;
const CATCH_UP_MS = 50;

type Begun = MirrorState & { readonly position: StreamPosition };

export class Follower {
  readonly #settings: FollowerSettings;
  readonly #site: Site;
  readonly #stop = new AbortController();
  /** Ends the pause under way. */
  readonly #wakeUp = new WakeUp();
  readonly firstRead: Promise<void>;
  #canBeRead: () => void = () => undefined;
  #stage: MirrorStage = 'building';
  #isReadable = false;
  #seenEpoch = 0;

  constructor(settings: FollowerSettings) {
    this.#settings = settings;
    this.#site = new Site(settings);
    this.firstRead = new Promise((resolve) => (this.#canBeRead = resolve));
  }

  get stage(): MirrorStage {
    return this.#stage;
  }

  /** Whether a generation was ever complete. */
  get isReadable(): boolean {
    return this.#isReadable;
  }

  requestStop(): void {
    this.#stop.abort();
    this.#wakeUp.wake();
  }

  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#turn();
      } catch (error) {
        if (error instanceof NewEpochError) this.#seenEpoch = Math.max(this.#seenEpoch, error.epoch);
        else if (!(error instanceof SupersededError || this.#stop.signal.aborted)) this.#report(error);
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #turn(): Promise<void> {
    const state = await this.#readState();
    const reason = this.#whyAnew(state, await this.#site.look());
    if (reason === undefined && isComplete(state)) return this.#withFacts(state, (end) => this.#follow(state, end));
    this.#stage = 'building';
    const built = await this.#settings.store.alone(async () => {
      await this.#build();
      return true;
    });
    if (built === null) await this.#pause(OTHER_BUILDS_MS);
  }

  async #build(): Promise<void> {
    const { store, plan } = this.#settings;
    const look = variant('client.mirror_durable_late') ? await this.#site.look() : await this.#site.ensureDurable();
    let state = await this.#readState();
    const reason = this.#whyAnew(state, look);
    if (reason !== undefined) {
      this.#settings.hooks.onAnew?.(reason);
      await store.begin(state.generation, plan.kinds);
      state = await this.#readState();
    }
    if (state.position === null) state = await this.#readFirstPage(state, look);
    if (!hasPosition(state) || state.readable === state.generation) return;
    const begun = state;
    await this.#withFacts(begun, async (end) => {
      const last = await this.#readPages(begun, end);
      if (await this.#catchUp(begun, last, end)) await store.complete(begun.generation, last);
    });
    await this.#readState();
  }

  async #readFirstPage({ generation }: MirrorState, look: Look): Promise<MirrorState> {
    const { store, plan } = this.#settings;
    const { position, rows, next } = await this.#readPage(plan.firstPage);
    const { durable } = look.durable === undefined ? await this.#site.ensureDurable() : look;
    await store.writePage(generation, rows, { position, durable: durable?.created ?? '', page: next });
    return this.#readState();
  }

  /** @returns the position of the last page. */
  async #readPages({ generation, page, position }: Begun, end: AbortSignal): Promise<StreamPosition> {
    let last = position;
    for (let next = page; next !== null;) {
      end.throwIfAborted();
      const read = await this.#readPage(next);
      if (read.position.epoch > position.epoch) throw new NewEpochError(read.position.epoch);
      await this.#settings.store.writePage(generation, read.rows, { page: read.next });
      ({ next, position: last } = read);
    }
    return last;
  }

  async #readPage(page: NextPage) {
    const { client, plan, pageItems } = this.#settings;
    const query = { limit: pageItems, ...(page.cursor === null ? {} : { cursor: page.cursor }) };
    const { items, nextCursor, position } = valueOf(
      (await client[plan.operationOf(page.kind)]?.({ query })) as Answered<SnapshotPage<unknown>>,
    );
    return {
      position: parsePosition(position),
      rows: items.map((item) => ({ kind: page.kind, ...item })),
      next: plan.pageAfter(page, nextCursor),
    };
  }

  /**
   * A page may have in what the durable has not given out yet: a generation that began to be read before would go back.
   *
   * @returns false when the generation cannot be gone on with.
   */
  async #catchUp(state: Begun, to: StreamPosition, end: AbortSignal): Promise<boolean> {
    for (;;) {
      end.throwIfAborted();
      const look = await this.#site.look();
      if (look.durable === undefined || this.#whyAnew(state, look) !== undefined) return false;
      if (look.durable.open === 0 || look.durable.ackFloor >= to.sequence) return true;
      await this.#pause(CATCH_UP_MS);
    }
  }

  /** Looks at the site now and then, for what no fact tells. Returns when the mirror cannot go on as it is. */
  async #follow({ generation, position }: Begun, end: AbortSignal): Promise<void> {
    let lastSeen: number | undefined;
    let reached = position.sequence;
    while (!end.aborted) {
      try {
        const state = await this.#readState();
        if (state.generation !== generation) return;
        await this.#askEpoch();
        const { durable, stream } = await this.#site.look();
        if (this.#whyAnew(state, { durable, stream }) !== undefined || !durable || !stream) return;
        const isIdle = durable.open === 0;
        const sequence = Math.max(reached, isIdle ? (lastSeen ?? 0) : Math.min(durable.ackFloor, stream.last));
        if (sequence > reached) await this.#settings.store.reached(generation, { ...position, sequence });
        reached = sequence;
        this.#stage = isIdle || reached >= (lastSeen ?? Infinity) ? 'following' : 'behind';
        lastSeen = stream.last;
      } catch (error) {
        if (error instanceof SupersededError) return;
        this.#stage = 'behind';
        this.#report(error);
      }
      await this.#pause(this.#settings.lookIntervalMs);
    }
    end.throwIfAborted();
  }

  /** Facts that tell of a new epoch may be of subjects that are not listened to. */
  async #askEpoch(): Promise<void> {
    const { client, plan } = this.#settings;
    const asked = await client[plan.operationOf(plan.firstPage.kind)]?.({ query: { limit: 1 } });
    const { position } = valueOf(asked as Answered<SnapshotPage<unknown>>);
    this.#seenEpoch = Math.max(this.#seenEpoch, parsePosition(position).epoch);
  }

  /** Applies facts while `work` goes on. Its signal says that it is of no use to go on. */
  async #withFacts(state: Begun, work: (end: AbortSignal) => Promise<void>): Promise<void> {
    const { connection, durable, domain, plan, store, concurrency, hooks } = this.#settings;
    const ended = new AbortController();
    const { generation, position } = state;
    const onEnd = (reason: Error): void => {
      ended.abort(reason);
      this.#wakeUp.wake();
    };
    const onError = (error: unknown): void => {
      if (ended.signal.aborted) return;
      this.#report(error);
      // Where a consumer fails, its durable may be gone.
      this.#wakeUp.wake();
    };
    const intake = new FactIntake({ store, generation, position, onEnd });
    const consumer = runConsumer<undefined>({
      connection,
      durable,
      stream: plan.stream,
      filterSubject: plan.filterSubject,
      concurrency,
      // A durable that is gone must not be made again unnoticed.
      provisioned: true,
      ...(domain === undefined ? {} : { domain }),
      within: intake,
      handler: (event) => intake.take(plan.rowsOf(event)),
      hooks: { ...hooks, onError },
    });
    try {
      await work(AbortSignal.any([ended.signal, this.#stop.signal]));
    } finally {
      await consumer.stop();
    }
  }

  async #readState(): Promise<MirrorState> {
    const state = await this.#settings.store.state();
    if (state.readable !== null) {
      this.#isReadable = true;
      this.#canBeRead();
    }
    return state;
  }

  #whyAnew(state: MirrorState, look: Look): AnewReason | undefined {
    return whyAnew(state, this.#settings.plan.kinds, this.#seenEpoch, look);
  }

  #report(error: unknown): void {
    this.#settings.hooks.onError?.(error);
  }

  async #pause(ms: number): Promise<void> {
    if (!this.#stop.signal.aborted) await this.#wakeUp.wait(ms);
  }
}

const hasPosition = (state: MirrorState): state is Begun => state.position !== null;
const isComplete = (state: MirrorState): state is Begun => hasPosition(state) && state.readable === state.generation;
