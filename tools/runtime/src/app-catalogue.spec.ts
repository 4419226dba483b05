import { describe, expect, it } from '@jest/globals';
import { planInstances } from './app-catalogue.ts';

const apps = [
  { name: 'availability', portOffset: 1, entry: 'a.js' },
  { name: 'brokering', portOffset: 2, entry: 'b.js', heapMb: 256 },
];
const ports = (replicas: [string, number][]): [string, number][] =>
  planInstances(apps, 3000, new Map(replicas)).map(({ name, port }) => [name, port]);

describe('planInstances', () => {
  it('gives the first replica of each app its own port', () => {
    expect(ports([])).toEqual([
      ['availability-1', 3001],
      ['brokering-1', 3002],
    ]);
  });

  it('gives further replicas, of whichever app, the ports from +21 on, each once', () => {
    expect(
      ports([
        ['availability', 3],
        ['brokering', 2],
      ]),
    ).toEqual([
      ['availability-1', 3001],
      ['availability-2', 3021],
      ['availability-3', 3022],
      ['brokering-1', 3002],
      ['brokering-2', 3023],
    ]);
  });

  it('bounds the heap of an app that says how much it needs', () => {
    expect(planInstances(apps, 3000, new Map()).map(({ args }) => args)).toEqual([
      ['a.js'],
      ['--max-old-space-size=256', 'b.js'],
    ]);
  });
});
