import { describe, expect, it } from '@jest/globals';
import { parseHistory } from './call-record.ts';

const line = (change: object = {}): string =>
  JSON.stringify({
    kind: 'hold',
    id: 'b1',
    fromMs: 1,
    untilMs: 3,
    statuses: [409],
    codes: ['x.y'],
    body: null,
    ...change,
  });

describe('parseHistory', () => {
  it('reads one record a line', () => {
    expect(parseHistory(`${line()}\n${line({ id: 'b2' })}\n`).map(({ id }) => id)).toEqual(['b1', 'b2']);
    expect(parseHistory('')).toEqual([]);
  });

  it.each([
    ['a line that was cut', line().slice(0, 20)],
    ['an empty line within', `${line()}\n\n${line()}`],
    ['an unknown kind', line({ kind: 'refund' })],
    ['an answer before its call', line({ fromMs: 5 })],
    ['a call without attempts', line({ statuses: [], codes: [] })],
    ['a missing instant', line({ untilMs: null })],
  ])('refuses %s', (_what, text) => {
    expect(() => parseHistory(text)).toThrow(/^Line \d of the history is no record of a call/);
  });
});
