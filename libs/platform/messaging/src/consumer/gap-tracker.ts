/** The versions that one event covers: it takes its key from `fromVersion` to `toVersion`. */
export interface VersionStep {
  readonly key: string;
  /** Version before the event; equals the `toVersion` of the event before it. */
  readonly fromVersion: number;
  readonly toVersion: number;
}

/**
 * What an event is to its key:
 * `first` seen of the key, `next` in line, `duplicate` (its versions are known already), `gap` (versions in between are
 * missing, for now), or `late` (it filled versions that were missing).
 */
export type StepVerdict =
  | { readonly kind: 'first' | 'next' | 'duplicate' | 'late' }
  | { readonly kind: 'gap'; readonly missingFrom: number; readonly missingTo: number };

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Known versions of a key, as disjoint, sorted spans that don't touch. */
type Spans = readonly Span[];

const MAX_SPANS_PER_KEY = 64;

/**
 * Detects missing and repeated versions per key. Pure and bounded: it forgets the key that was quiet for longest beyond
 * `maxKeys`, and the oldest holes of a key beyond a limit. A key forgotten is `first` again.
 */
export class GapTracker {
  readonly #spansByKey = new Map<string, Spans>();
  readonly #maxKeys: number;

  constructor(maxKeys = 100_000) {
    this.#maxKeys = maxKeys;
  }

  observe({ key, fromVersion, toVersion }: VersionStep): StepVerdict {
    const spans = this.#spansByKey.get(key);
    // Re-inserting keeps the map in order of use.
    this.#spansByKey.delete(key);
    this.#spansByKey.set(key, addSpan(spans ?? [], { from: fromVersion, to: toVersion }));
    this.#forgetQuietKeys();
    return spans === undefined ? { kind: 'first' } : judge(spans, fromVersion, toVersion);
  }

  /** Versions of a key that are missing between the first and the last one seen, as (from, to] pairs. */
  missing(key: string): readonly { readonly from: number; readonly to: number }[] {
    const spans = this.#spansByKey.get(key) ?? [];
    return spans.slice(1).map((span, index) => ({ from: spans[index]?.to ?? 0, to: span.from }));
  }

  #forgetQuietKeys(): void {
    if (this.#spansByKey.size <= this.#maxKeys) return;
    const [quietest] = this.#spansByKey.keys();
    if (quietest !== undefined) this.#spansByKey.delete(quietest);
  }
}

function judge(spans: Spans, from: number, to: number): StepVerdict {
  const first = spans[0];
  const last = spans.at(-1);
  if (first === undefined || last === undefined) return { kind: 'first' };
  if (from > last.to) return { kind: 'gap', missingFrom: last.to, missingTo: from };
  // Versions below the first one seen were dealt with before this tracker began.
  if (to <= first.from || spans.some((span) => span.from <= from && to <= span.to)) return { kind: 'duplicate' };
  return { kind: from >= last.from ? 'next' : 'late' };
}

function addSpan(spans: Spans, added: Span): Spans {
  const first = spans[0];
  if (first !== undefined && added.to <= first.from) return spans;
  const apart = spans.filter((span) => span.to < added.from || span.from > added.to);
  const touching = [added, ...spans.filter((span) => !apart.includes(span))];
  const merged = {
    from: Math.min(...touching.map((span) => span.from)),
    to: Math.max(...touching.map((span) => span.to)),
  };
  return [...apart, merged].sort((a, b) => a.from - b.from).slice(-MAX_SPANS_PER_KEY);
}
