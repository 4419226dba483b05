import { describe, expect, it } from '@jest/globals';
import { type MirrorState, NOTHING_YET } from './mirror-store.ts';
import type { DurableLook, Look } from './site.ts';
import { whyAnew } from './why-anew.ts';

const MADE = '2026-03-01T10:00:00.000000001Z';
const state: MirrorState = {
  generation: 2,
  readable: 2,
  kinds: ['nodes', 'skus'],
  position: { epoch: 3, sequence: 100 },
  durable: MADE,
  page: null,
};
const durable = { created: MADE, filterSubject: 'a.>', ackFloor: 100, delivered: 104, open: 4 };
const look = (changed: Partial<DurableLook> = {}, stream = { first: 50, last: 110 }): Look => ({
  durable: { ...durable, ...changed },
  stream,
});

describe('a mirror', () => {
  it.each<[string, string | undefined, MirrorState, number, Look]>([
    ['is built where there is none', 'first_time', NOTHING_YET, 0, look()],
    ['goes on where everything is as it left it', undefined, state, 3, look()],
    [
      'relies on nothing before its first page',
      undefined,
      { ...state, position: null, durable: null },
      9,
      { durable: undefined, stream: undefined },
    ],
    ['goes on in its epoch when facts of an older one come', undefined, state, 2, look()],
    ['is built anew in a new epoch', 'epoch_stepped', state, 4, look()],
    ['is built anew when other kinds are wanted', 'kinds_changed', { ...state, kinds: ['skus'] }, 3, look()],
    ['is built anew without its durable', 'durable_lost', state, 3, { ...look(), durable: undefined }],
    ['is built anew with another durable of the name', 'durable_lost', state, 3, look({ created: '2026-03-02' })],
    ['is built anew without the stream', 'durable_lost', state, 3, { ...look(), stream: undefined }],
    ['goes on when the next fact is the first that is left', undefined, state, 3, look({}, { first: 101, last: 110 })],
    ['is built anew when the next fact is gone', 'facts_aged', state, 3, look({}, { first: 102, last: 110 })],
    [
      'goes on when it has dealt with what is gone',
      undefined,
      state,
      3,
      look({ ackFloor: 105 }, { first: 106, last: 110 }),
    ],
    ['goes on at the end of an empty stream', undefined, state, 3, look({ delivered: 100 }, { first: 101, last: 100 })],
    [
      'is built anew when the stream ends before its position',
      'stream_shrunk',
      state,
      3,
      look({ delivered: 0, ackFloor: 0 }, { first: 1, last: 99 }),
    ],
    [
      'is built anew when the stream ends before what was given out',
      'stream_shrunk',
      state,
      3,
      look({}, { first: 1, last: 103 }),
    ],
  ])('%s', (_rule, reason, known, seenEpoch, seen) => {
    expect(whyAnew(known, ['nodes', 'skus'], seenEpoch, seen)).toBe(reason);
  });
});
