import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Acknowledgement, decideAcknowledge } from './decide-acknowledge.ts';
import { STAGES, type Stage } from './reservation.ts';
import { type Units, anyWorld, faultsAfter, promising, standing, standingOf } from './testing/promises.ts';

const F1 = { fulfilment: 'F1' };
const told = (quantity: number, stage: Stage, over: object = {}): Acknowledgement => ({
  selected: { fulfilment: 'F1', quantity, ...over },
  stage,
});
const outcome = (decision: ReturnType<typeof decideAcknowledge>) =>
  decision.ok ? standingOf(decision.value.reservation) : decision.rejection;

describe('what a node tells of its units', () => {
  it.each<[string, Units, Acknowledgement, Units]>([
    ['accepted', {}, told(2, 'accepted'), { accepted: 2 }],
    ['accepted besides what was', { accepted: 2 }, told(1, 'accepted'), { accepted: 3 }],
    ['picked, and so accepted', {}, told(2, 'picked'), { accepted: 2, picked: 2 }],
    ['picked of those accepted', { accepted: 3 }, told(2, 'picked'), { accepted: 3, picked: 2 }],
    ['picked beyond those accepted', { accepted: 1 }, told(2, 'picked'), { accepted: 2, picked: 2 }],
    ['shipped at once', { accepted: 1 }, told(4, 'shipped'), { accepted: 4, picked: 4, shipped: 4 }],
    [
      'shipped of those that were farthest',
      { accepted: 3, picked: 1 },
      told(2, 'shipped'),
      { accepted: 3, picked: 2, shipped: 2 },
    ],
  ])('is counted: %s', (_, before, acknowledgement, after) => {
    const mine = promising([standing({ confirmed: 4, ...before }, F1)]);
    expect(outcome(decideAcknowledge(mine, acknowledgement))).toEqual([standing({ confirmed: 4, ...after }, F1)]);
  });

  it('is counted in the order of lines', () => {
    const mine = promising([standing({ confirmed: 2 }, { line: 1, ...F1 }), standing({ confirmed: 2 }, F1)]);
    const decision = decideAcknowledge(mine, told(3, 'accepted'));
    expect(outcome(decision)).toEqual([
      standing({ confirmed: 2, accepted: 1 }, { line: 1, ...F1 }),
      standing({ confirmed: 2, accepted: 2 }, F1),
    ]);
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: 1, quantity: 2, fulfilment: 'F1' },
      { line: 1, sku: 1, node: 1, quantity: 1, fulfilment: 'F1' },
    ]);
  });

  it.each<[string, readonly [Parameters<typeof standing>[0], Parameters<typeof standing>[1]], number]>([
    ['more than there are', [{ confirmed: 2 }, F1], 2],
    ['units that are past the stage', [{ confirmed: 4, accepted: 3 }, F1], 1],
    ['held units', [{ held: 3, confirmed: 1 }, F1], 1],
    ['units that have left', [{ fulfilled: 3 }, F1], 0],
    ['units of another fulfilment', [{ confirmed: 3 }, { fulfilment: 'F2' }], 0],
    ['units of no fulfilment', [{ confirmed: 3 }, {}], 0],
  ])('is refused of %s', (_, [units, at], there) => {
    const decision = decideAcknowledge(promising([standing(units, at)]), told(3, 'accepted', { sku: 1 }));
    expect(outcome(decision)).toEqual({
      code: 'reservation.units_missing',
      at: { line: undefined, sku: 1, node: undefined, fulfilment: 'F1' },
      there,
    });
  });

  it('is refused of units that are still on their way', () => {
    const riding = { line: 0, sku: 1, kind: 'incoming' as const, node: 1, detail: 7, fulfilment: 'F1' };
    expect(outcome(decideAcknowledge(promising([[riding, { confirmed: 1 }]]), told(1, 'accepted')))).toMatchObject({
      there: 0,
    });
  });
});

describe('laws of acknowledging', () => {
  const anyStage = fc.constantFrom(...STAGES);
  const there = (world: Parameters<typeof faultsAfter>[0], stage: Stage): number => {
    const decision = decideAcknowledge(world.reservation, told(1000, stage));
    return decision.ok || decision.rejection.code !== 'reservation.units_missing' ? -1 : decision.rejection.there;
  };

  it('takes up to what a refusal says is there, keeps every law and leaves the book alone', () => {
    fc.assert(
      fc.property(anyWorld, anyStage, (world, stage) => {
        const decision = decideAcknowledge(world.reservation, told(there(world, stage), stage));
        if (!decision.ok) throw new Error(decision.rejection.code);
        expect(faultsAfter(world, decision.value)).toEqual([]);
        expect(decision.value.effect.postings).toEqual([]);
        expect(there({ ...world, reservation: decision.value.reservation }, stage)).toBe(0);
      }),
    );
  });

  it('told in portions is the same as told at once', () => {
    fc.assert(
      fc.property(anyWorld, anyStage, fc.nat(), (world, stage, cut) => {
        const all = there(world, stage);
        const first = decideAcknowledge(world.reservation, told(cut % (all + 1), stage));
        const second = first.ok && decideAcknowledge(first.value.reservation, told(all - (cut % (all + 1)), stage));
        expect(second && outcome(second)).toEqual(outcome(decideAcknowledge(world.reservation, told(all, stage))));
      }),
    );
  });
});
