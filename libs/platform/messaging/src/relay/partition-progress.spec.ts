import { describe, expect, it } from '@jest/globals';
import { PartitionProgress } from './partition-progress.ts';

const at = (sequence: number): { sequence: number; eventId: string } => ({ sequence, eventId: `event-${sequence}` });

describe('PartitionProgress', () => {
  it('remembers what is published above low, and forgets it when low passes', () => {
    const progress = new PartitionProgress(10, undefined, []);
    progress.recordPublished(12, at(1));
    progress.recordPublished(15, at(2));
    expect([11, 12, 13, 15].map((id) => progress.isPublished(id))).toEqual([false, true, false, true]);
    progress.advance(12);
    expect([...progress.publishedIds]).toEqual([15]);
    expect(progress.isPublished(11)).toBe(true);
  });

  it('never moves low back by advancing', () => {
    const progress = new PartitionProgress(10, undefined, []);
    progress.advance(4);
    expect(progress.low).toBe(10);
  });

  it('keeps the highest position, in whatever order acknowledgements come', () => {
    const progress = new PartitionProgress(0, at(5), []);
    progress.recordPublished(1, at(9));
    progress.recordPublished(2, at(7));
    expect(progress.position).toEqual(at(9));
  });

  it('spaces its checkpoints and bounds their number', () => {
    const progress = new PartitionProgress(0, undefined, []);
    for (let second = 1; second <= 1_000; second += 1) {
      progress.recordPublished(second, at(second));
      progress.advance(second);
      progress.checkpoint(second * 1_000);
    }
    expect(progress.checkpoints).toHaveLength(32);
    expect(progress.checkpoints.at(-1)?.low).toBe(991);
    expect(progress.checkpoints.at(-2)?.low).toBe(981);
  });

  it('keeps checkpoints of days beside those of seconds, and knows how old their messages are', () => {
    const progress = new PartitionProgress(0, undefined, []);
    const daySeconds = 86_400;
    for (let second = 10; second <= 7 * daySeconds; second += 10) {
      progress.recordPublished(second, { ...at(second), at: second * 1_000 });
      progress.advance(second);
      progress.checkpoint(second * 1_000);
    }
    const agesSeconds = progress.checkpoints.map((kept) => 7 * daySeconds - kept.at / 1_000);
    expect(agesSeconds.slice(-2)).toEqual([10, 0]);
    expect(agesSeconds).toHaveLength(32);
    for (const days of [1, 2, 4]) expect(agesSeconds.some((age) => age > days * daySeconds)).toBe(true);
    const known = progress.knownMessages();
    expect(known.map(({ storedAfter }) => storedAfter)).toEqual(known.map(({ position }) => position.sequence * 1_000));
  });

  it('says that it refills until what was lost is published again', () => {
    const progress = new PartitionProgress(50, at(50), []);
    progress.recordPublished(60, at(60));
    progress.rewindPurged();
    expect([progress.isRefilling, progress.wasPurged(60), progress.wasPurged(61)]).toEqual([true, true, false]);
    progress.advance(59);
    expect(progress.isRefilling).toBe(true);
    progress.advance(60);
    expect(progress.isRefilling).toBe(false);
  });

  it('goes back to a checkpoint, or to the beginning', () => {
    const progress = new PartitionProgress(50, at(50), [
      { low: 10, position: at(10), at: 1 },
      { low: 30, position: at(30), at: 2 },
    ]);
    progress.recordPublished(60, at(60));
    progress.rewindTo({ low: 10, position: at(10), at: 1 });
    expect([progress.low, progress.position, progress.publishedCount]).toEqual([10, at(10), 0]);
    expect(progress.checkpoints).toHaveLength(1);
    progress.rewindTo(undefined);
    expect([progress.low, progress.position, progress.checkpoints]).toEqual([0, undefined, []]);
  });
});
