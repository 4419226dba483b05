import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivalStages } from './arrivals.ts';
import { planFlashSale } from './plan.ts';

const options = { run: 'a1', seed: 7, buyers: 2_000, units: 1_000, durationSeconds: 60 };

describe('planFlashSale', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planFlashSale(options)).toEqual(planFlashSale(options));
    expect(planFlashSale({ ...options, seed: 8 }).buyers).not.toEqual(planFlashSale(options).buyers);
  });

  it('puts exactly the units of the sale on ten nodes, all of which serve three channels', () => {
    const { stock, nodes, channels } = planFlashSale(options);
    const quantities = stock.movements.map(({ quantity }) => quantity);
    expect(quantities.reduce((sum, quantity) => sum + quantity, 0)).toBe(1_000);
    expect(channels.map((channel) => channel.nodes)).toEqual([0, 1, 2].map(() => nodes.map(({ node }) => node)));
    expect(nodes).toHaveLength(10);
  });

  it('gives every buyer an id of her own, and every fate to some', () => {
    const { buyers } = planFlashSale(options);
    expect(new Set(buyers.map(({ id }) => id)).size).toBe(2_000);
    expect(new Set(buyers.map(({ fate }) => fate))).toEqual(new Set(['confirm', 'release', 'abandon']));
    expect(buyers.some(({ patienceMs }) => patienceMs !== undefined)).toBe(true);
  });
});

describe('arrivalStages', () => {
  it('lets at least all buyers arrive, within the duration', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 2, max: 600 }), (buyers, durationSeconds) => {
        let [rate, arrivals, elapsedMs] = [0, 0, 0];
        for (const { target, duration } of arrivalStages(buyers, durationSeconds)) {
          const lastsMs = Number(duration.replace('ms', ''));
          arrivals += ((rate + target) / 2) * (lastsMs / 1_000);
          elapsedMs += lastsMs;
          rate = target;
        }
        expect(arrivals).toBeGreaterThanOrEqual(buyers);
        expect(elapsedMs).toBe(durationSeconds * 1_000);
      }),
    );
  });
});
