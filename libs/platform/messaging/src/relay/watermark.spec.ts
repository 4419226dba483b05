import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Watermark } from './watermark.ts';

describe('Watermark', () => {
  it('settles nothing before every transaction that could own the id has ended', () => {
    const watermark = new Watermark();
    watermark.place(10, 100n);
    watermark.observe(99n);
    expect(watermark.settled).toBe(0);
    watermark.observe(100n);
    expect(watermark.settled).toBe(10);
  });

  it('asks for a mark only when ids were given out since the last one', () => {
    const watermark = new Watermark();
    expect(watermark.needsMark(0)).toBe(false);
    expect(watermark.needsMark(5)).toBe(true);
    watermark.place(5, 7n);
    expect(watermark.needsMark(9)).toBe(false);
    watermark.observe(8n);
    expect(watermark.needsMark(5)).toBe(false);
    expect(watermark.needsMark(6)).toBe(true);
  });

  it('never settles an id whose transaction still runs, in any interleaving', () => {
    fc.assert(fc.property(steps, (all) => isSafe(all, 'own transaction id')));
  });

  it('would settle too early if it took the xmax of a snapshot instead (negative control)', () => {
    const lone: readonly [Step, number][] = [
      ['begin', 0],
      ['take', 0],
      ['mark', 0],
      ['observe', 0],
    ];
    expect(isSafe(lone, 'snapshot xmax')).toBe(false);
    expect(isSafe(lone, 'own transaction id')).toBe(true);
  });
});

type Step = 'begin' | 'take' | 'end' | 'mark' | 'observe';
type MarkSource = 'own transaction id' | 'snapshot xmax';

const steps = fc.array(fc.tuple(fc.constantFrom<Step>('begin', 'take', 'end', 'mark', 'observe'), fc.nat()), {
  maxLength: 80,
});

function isSafe(all: readonly (readonly [Step, number])[], source: MarkSource): boolean {
  const model = new TransactionModel(source);
  return all.every(([name, choice]) => model.step(name, choice));
}

/** The part of PostgreSQL that matters here: transaction ids, a sequence, and snapshots as it computes them. */
class TransactionModel {
  #nextXid = 1n;
  #lastId = 0;
  #latestEnded = 0n;
  readonly #running = new Map<bigint, number[]>();
  readonly #watermark = new Watermark();
  readonly #source: MarkSource;

  constructor(source: MarkSource) {
    this.#source = source;
  }

  /** @returns whether no id that the watermark calls settled can still appear. */
  step(name: Step, choice: number): boolean {
    const xids = [...this.#running.keys()];
    const xid = xids.length === 0 ? undefined : xids[choice % xids.length];
    if (name === 'begin') this.#running.set(this.#nextXid++, []);
    if (name === 'take' && xid !== undefined) this.#running.get(xid)?.push(++this.#lastId);
    if (name === 'end' && xid !== undefined) this.#end(xid);
    if (name === 'mark' && this.#watermark.needsMark(this.#lastId)) {
      this.#watermark.place(this.#lastId, this.#source === 'snapshot xmax' ? this.#latestEnded + 1n : this.#useOwn());
    }
    if (name === 'observe') this.#watermark.observe(this.#xmin());
    const settled = this.#watermark.settled;
    return [...this.#running.values()].flat().every((id) => id > settled);
  }

  #useOwn(): bigint {
    this.#latestEnded = this.#nextXid++;
    return this.#latestEnded;
  }

  #end(xid: bigint): void {
    this.#running.delete(xid);
    if (xid > this.#latestEnded) this.#latestEnded = xid;
  }

  /** xmax is one past the highest ended transaction; running ones at or above it don't count for xmin. */
  #xmin(): bigint {
    const xmax = this.#latestEnded + 1n;
    return [...this.#running.keys()].reduce((lowest, xid) => (xid < lowest ? xid : lowest), xmax);
  }
}
