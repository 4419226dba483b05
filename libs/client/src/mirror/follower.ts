/**
 * Keeps a mirror equal to what an app's snapshots and facts say, in turns: build it where it cannot be gone on with, then follow
 * the facts until something shows that it cannot.
 *
 * A generation is built so: a durable keeps the facts from now on; then the pages are read, of which each has in what was
 * committed before; facts are applied all the while; when those are in that the stream had when the last page was read, the
 * generation is complete and is read from then on. Rows are absolute and the newest version wins. So nothing is missed between page and fact,
 * and nothing has to be in order.
 *
 * A crash leaves a generation that is gone on with at the next page, if its durable is still the one that has kept the facts since
 * the first, and is begun anew otherwise. {@link whyAnew} lists what else ends a generation.
 */
import { variant } from '@onepool/platform-failpoints';
import { type StreamPosition, WakeUp } from '@onepool/platform-messaging';
import { NewEpochError } from './fact-intake.ts';
import type { FollowerSettings, MirrorStage } from './follower-settings.ts';
import { type MirrorState, SupersededError } from './mirror-store.ts';
import { PageReader } from './page-reader.ts';
import { type Look, Site } from './site.ts';
import { whileFactsCome } from './while-facts-come.ts';
import { type AnewReason, whyAnew } from './why-anew.ts';

const RETRY_MS = 250;
const OTHER_BUILDS_MS = 500;
const CATCH_UP_MS = 50;

type Begun = MirrorState & { readonly position: StreamPosition };

export class Follower {
  readonly #settings: FollowerSettings;
  readonly #site: Site;
  readonly #pages: PageReader;
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
    this.#pages = new PageReader(settings.client, settings.plan, settings.pageItems);
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
        if (error instanceof NewEpochError) this.#sawEpoch(error.epoch);
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
    const built = await this.#settings.store.alone(() => this.#build());
    if (built === null) await this.#pause(OTHER_BUILDS_MS);
    else if (!built) await this.#pause(RETRY_MS);
  }

  /** @returns whether the newest generation is complete. */
  async #build(): Promise<boolean> {
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
    if (!hasPosition(state)) return false;
    if (state.readable === state.generation) return true;
    const begun = state;
    await this.#withFacts(begun, async (end) => {
      await this.#readPages(begun, end);
      const now = await this.#pages.position();
      if (await this.#catchUp(begun, now, end)) await store.complete(begun.generation, now);
    });
    return isComplete(await this.#readState());
  }

  async #readFirstPage({ generation }: MirrorState, look: Look): Promise<MirrorState> {
    const { store, plan } = this.#settings;
    const { position, rows, next } = await this.#pages.read(plan.firstPage);
    const { durable } = look.durable === undefined ? await this.#site.ensureDurable() : look;
    await store.writePage(generation, rows, { position, durable: durable?.created ?? '', page: next });
    return this.#readState();
  }

  async #readPages({ generation, page }: Begun, end: AbortSignal): Promise<void> {
    for (let next = page; next !== null;) {
      end.throwIfAborted();
      const read = await this.#pages.read(next);
      await this.#settings.store.writePage(generation, read.rows, { page: read.next });
      ({ next } = read);
    }
  }

  /**
   * Waits until everything is in that was told before the last page was read: otherwise what is read could go back, to before
   * what the generation before had, or to what the last page knows to be gone.
   *
   * @returns false when the generation cannot be gone on with.
   */
  async #catchUp(state: Begun, to: StreamPosition, end: AbortSignal): Promise<boolean> {
    this.#sawEpoch(to.epoch);
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
        // Facts that tell of a new epoch may be of subjects that are not listened to.
        this.#sawEpoch((await this.#pages.position()).epoch);
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

  /** Applies facts while `work` goes on, whose signal says that it is of no use to. */
  async #withFacts({ generation, position }: Begun, work: (end: AbortSignal) => Promise<void>): Promise<void> {
    const ended = new AbortController();
    const end = AbortSignal.any([ended.signal, this.#stop.signal]);
    const onEnd = (reason: Error): void => {
      ended.abort(reason);
      this.#wakeUp.wake();
    };
    const onError = (error: unknown): void => {
      if (end.aborted) return;
      this.#report(error);
      // Its durable may be gone.
      this.#wakeUp.wake();
    };
    await whileFactsCome(this.#settings, { generation, position, onEnd, onError }, () => work(end));
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

  #sawEpoch(epoch: number): void {
    this.#seenEpoch = Math.max(this.#seenEpoch, epoch);
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
