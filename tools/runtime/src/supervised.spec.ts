import { describe, expect, it } from '@jest/globals';
import { Supervised } from './supervised.ts';
import type { Started } from './supervised.ts';

/** A process that exists only here. */
function fake(pid: number): Started & { end(): void } {
  let end = (): void => undefined;
  const exited = new Promise<void>((resolve) => (end = resolve));
  return { pid, exited, end: () => end(), stop: async () => end() };
}

describe('Supervised', () => {
  it('tells once why a process does not start again, however often it is tried, and when it does', async () => {
    const told: string[] = [];
    const first = fake(1);
    const results = [first, new Error('no room'), new Error('no room'), new Error('no right'), fake(2)];
    let started = (): void => undefined;
    const all = new Promise<void>((resolve) => (started = resolve));
    const service = {
      name: 'nats',
      start: async () => {
        const next = results.shift();
        if (next instanceof Error) throw next;
        return next!;
      },
    };
    const supervised = await Supervised.start(service, (line) => {
      told.push(line);
      if (line.includes('has taken its place')) started();
    });
    first.end();
    await all;
    expect(told).toEqual([
      'nats does not start, which is tried again: no room',
      'nats does not start, which is tried again: no right',
      'nats (process 1) ended; process 2 has taken its place',
    ]);
    await supervised.stop();
  });
});
