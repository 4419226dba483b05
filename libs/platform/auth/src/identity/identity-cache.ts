/**
 * Remembers who a key or a person is, so that a request costs a hash and a Map look-up, and forgets it within a second of
 * any change.
 *
 * The source tells the present version of the identity several times a second. A step forgets the principals that it
 * concerns; a version that does not follow upon the known one forgets everything. What is remembered counts
 *
 * - **fresh** while the last version is at most a second old;
 * - **in grace** for five minutes after that, as when NATS is down: who is remembered stays good, who is not is asked for
 *   and refused with `identity.unavailable` where that fails;
 * - not at all afterwards.
 *
 * Unknown keys are remembered apart, shortly, and fewer of them, so that who tries keys at random can neither reach the
 * source with a repeated key nor push known keys out. Concurrent questions about one key become one.
 */
import { problem } from '@onepool/platform-problem';
import type {
  FoundIdentity,
  IdentityAnswer,
  IdentityBeat,
  IdentityQuestion,
  IdentitySource,
  IdentityVersion,
} from './identity-source.ts';

const FRESH_MS = 1_000;
const GRACE_MS = 300_000;
const UNKNOWN_KEPT_MS = 1_000;
const SHA256_LENGTH = 64;
const KNOWN_MAX = 10_000;
const UNKNOWN_MAX = 1_000;
/** An answer that was overtaken by a change is asked for again, so often. */
const ATTEMPTS_MAX = 3;

interface Known {
  readonly found: FoundIdentity;
  /** Since {@link IdentityCache.noteUse}. */
  isUsed: boolean;
}

export interface IdentityCacheOptions {
  /** Milliseconds of any monotonic clock. */
  readonly monotonic?: () => number;
}

export class IdentityCache {
  readonly #source: IdentitySource;
  readonly #monotonic: () => number;
  readonly #known = new Map<string, Known>();
  readonly #unknownUntilMs = new Map<string, number>();
  /** Keys, by SHA-256, that were used and are perhaps remembered no more. */
  readonly #usedKeys = new Set<string>();
  readonly #asking = new Map<string, Promise<FoundIdentity | null>>();
  #version: IdentityVersion | undefined;
  #confirmedAtMs = -Infinity;
  #watch: { stop(): Promise<void> } | undefined;

  constructor(source: IdentitySource, { monotonic = () => performance.now() }: IdentityCacheOptions = {}) {
    this.#source = source;
    this.#monotonic = monotonic;
  }

  /** From now on it is told of changes. Answers itself. */
  start(): this {
    this.#watch ??= this.#source.watch((beat, sentAtMs) => this.#onBeat(beat, sentAtMs));
    return this;
  }

  async stop(): Promise<void> {
    await this.#watch?.stop();
  }

  /** How long ago the version was known to be the present one. */
  get ageMs(): number {
    return this.#monotonic() - this.#confirmedAtMs;
  }

  /** The remembered answer, or undefined if the source must be asked. */
  peek(question: IdentityQuestion): FoundIdentity | null | undefined {
    const ageMs = this.ageMs;
    const name = nameOf(question);
    const known = ageMs <= FRESH_MS + GRACE_MS ? this.#known.get(name) : undefined;
    if (known) {
      known.isUsed = true;
      return known.found;
    }
    return (this.#unknownUntilMs.get(name) ?? 0) > this.#monotonic() ? null : undefined;
  }

  /** @throws ProblemError `identity.unavailable` when it is not remembered, and the source cannot be asked. */
  find(question: IdentityQuestion): Promise<FoundIdentity | null> {
    const remembered = this.peek(question);
    if (remembered !== undefined) return Promise.resolve(remembered);
    const name = nameOf(question);
    const already = this.#asking.get(name);
    if (already) return already;
    const answer = this.#ask(name, question).finally(() => this.#asking.delete(name));
    this.#asking.set(name, answer);
    return answer;
  }

  /** Counts a key as used that was not asked for here: another app was called with it. */
  markUsed(sha256: string): void {
    this.#usedKeys.add(sha256);
  }

  /**
   * Has noted which keys, by SHA-256, were used since the last time. What could not be noted is told again.
   *
   * @throws whatever `note` throws.
   */
  async noteUse(note: (sha256s: readonly string[]) => Promise<void>): Promise<void> {
    for (const name of this.#known.keys()) this.#keepUse(name);
    const used = [...this.#usedKeys];
    if (used.length === 0) return;
    this.#usedKeys.clear();
    try {
      await note(used);
    } catch (error) {
      for (const name of used) this.#usedKeys.add(name);
      throw error;
    }
  }

  async #ask(name: string, question: IdentityQuestion): Promise<FoundIdentity | null> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const askedAtMs = this.#monotonic();
      const answer = await this.#source.ask(question).catch((cause: unknown) => {
        throw problem('identity.unavailable', { cause });
      });
      // A change that became known meanwhile may concern it.
      if (this.#isOvertaken(answer)) continue;
      this.#accept(answer, askedAtMs);
      this.#remember(name, answer.found);
      return answer.found;
    }
    throw problem('identity.unavailable', { detail: 'Rights change too quickly to be read.' });
  }

  #isOvertaken({ incarnation, epoch }: IdentityAnswer): boolean {
    return this.#version?.incarnation === incarnation && epoch < this.#version.epoch;
  }

  /** An answer tells the version, but not whom the steps before it concerned: a beat will, unless none comes any more. */
  #accept({ incarnation, epoch }: IdentityAnswer, askedAtMs: number): void {
    const isSame = this.#version?.incarnation === incarnation;
    if (isSame && epoch !== this.#version?.epoch && this.ageMs <= FRESH_MS) return;
    if (!isSame || epoch !== this.#version?.epoch) this.#forgetAll();
    this.#confirm({ incarnation, epoch }, askedAtMs);
  }

  #remember(name: string, found: FoundIdentity | null): void {
    if (found) {
      this.#known.set(name, { found, isUsed: true });
      if (this.#known.size > KNOWN_MAX) this.#forgetKey(oldestIn(this.#known));
    } else {
      this.#unknownUntilMs.set(name, this.#monotonic() + UNKNOWN_KEPT_MS);
      if (this.#unknownUntilMs.size > UNKNOWN_MAX) this.#unknownUntilMs.delete(oldestIn(this.#unknownUntilMs));
    }
  }

  #onBeat({ incarnation, epoch, since, touched }: IdentityBeat, sentAtMs: number): void {
    const known = this.#version;
    if (known?.incarnation === incarnation && epoch < known.epoch) {
      // A replica that lags, unless nothing newer has been heard for so long that the epoch itself must have gone back.
      if (this.ageMs <= FRESH_MS) return;
      this.#forgetAll();
    } else if (known?.incarnation !== incarnation || known.epoch < since) this.#forgetAll();
    else for (const step of touched) if (step.epoch > known.epoch) this.#forget(step.principals);
    this.#confirm({ incarnation, epoch }, sentAtMs);
  }

  #confirm(version: IdentityVersion, atMs: number): void {
    this.#version = version;
    this.#confirmedAtMs = Math.max(this.#confirmedAtMs, atMs);
  }

  #forget(principals: readonly string[] | null): void {
    if (principals === null) return this.#forgetAll();
    const concerned = new Set(principals);
    for (const [name, { found }] of this.#known) if (concerned.has(found.principal)) this.#forgetKey(name);
  }

  #forgetAll(): void {
    for (const name of this.#known.keys()) this.#forgetKey(name);
    this.#unknownUntilMs.clear();
  }

  #forgetKey(name: string): void {
    this.#keepUse(name);
    this.#known.delete(name);
  }

  /** Of a key, and not of a person. */
  #keepUse(name: string): void {
    const known = this.#known.get(name);
    if (!known?.isUsed || name.length !== SHA256_LENGTH) return;
    known.isUsed = false;
    this.#usedKeys.add(name);
  }
}

const nameOf = (question: IdentityQuestion): string => ('sha256' in question ? question.sha256 : question.person);

/** A Map keeps the order of insertion. */
const oldestIn = (entries: ReadonlyMap<string, unknown>): string => entries.keys().next().value ?? '';
