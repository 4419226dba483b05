import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GapTracker } from './gap-tracker.ts';

const step = (
  fromVersion: number,
  toVersion: number,
  key = 'sku',
): { key: string; fromVersion: number; toVersion: number } => ({
  key,
  fromVersion,
  toVersion,
});

describe('GapTracker', () => {
  it.each([
    { seen: [], next: step(4, 5), verdict: { kind: 'first' } },
    { seen: [step(0, 1)], next: step(1, 3), verdict: { kind: 'next' } },
    { seen: [step(0, 1)], next: step(0, 1), verdict: { kind: 'duplicate' } },
    { seen: [step(0, 1), step(1, 3)], next: step(0, 1), verdict: { kind: 'duplicate' } },
    { seen: [step(4, 5)], next: step(2, 3), verdict: { kind: 'duplicate' } },
    { seen: [step(0, 1)], next: step(2, 3), verdict: { kind: 'gap', missingFrom: 1, missingTo: 2 } },
    { seen: [step(0, 1), step(2, 3)], next: step(1, 2), verdict: { kind: 'late' } },
    { seen: [step(0, 1), step(2, 3)], next: step(3, 4), verdict: { kind: 'next' } },
    { seen: [step(0, 1)], next: step(7, 9, 'other'), verdict: { kind: 'first' } },
  ])('judges $next after $seen as $verdict', ({ seen, next, verdict }) => {
    const tracker = new GapTracker();
    seen.forEach((earlier) => tracker.observe(earlier));
    expect(tracker.observe(next)).toEqual(verdict);
  });

  it('ends without a hole once every step came, in any order and however often, each effective exactly once', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 });
    const scenario = lengths.chain((all) => {
      const ends = all.map((_, index) => all.slice(0, index + 1).reduce((sum, length) => sum + length, 0));
      const [first, ...rest] = ends.map((to, index) => step(ends[index - 1] ?? 0, to));
      return fc.tuple(
        fc.constant(first),
        fc.shuffledSubarray([...rest, ...rest], { minLength: rest.length * 2, maxLength: rest.length * 2 }),
      );
    });
    fc.assert(
      fc.property(scenario, ([first, rest]) => {
        const tracker = new GapTracker();
        if (first === undefined) return;
        const verdicts = [first, ...rest].map((item) => tracker.observe(item).kind);
        expect(tracker.missing('sku')).toEqual([]);
        expect(verdicts.filter((kind) => kind === 'duplicate')).toHaveLength(rest.length / 2);
      }),
    );
  });

  it('reports exactly the versions that are missing', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 40 }), (present) => {
        const tracker = new GapTracker();
        const seen = present.flatMap((isPresent, version) => (isPresent ? [version] : []));
        seen.forEach((version) => tracker.observe(step(version, version + 1)));
        const missing = tracker.missing('sku').flatMap(({ from, to }) => range(from, to));
        const last = seen.at(-1) ?? 0;
        const expected = range(seen[0] ?? 0, last).filter((version) => !present[version]);
        expect(missing).toEqual(expected);
      }),
    );
  });

  it('forgets the key that was quiet for longest', () => {
    const tracker = new GapTracker(2);
    for (const key of ['a', 'b', 'a', 'c']) tracker.observe(step(0, 1, key));
    expect(tracker.observe(step(0, 1, 'a'))).toEqual({ kind: 'duplicate' });
    expect(tracker.observe(step(0, 1, 'b'))).toEqual({ kind: 'first' });
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
