import { describe, expect, it } from '@jest/globals';
import { formatPosition, parsePosition, PositionError } from './stream-position.ts';

describe('a position in a stream', () => {
  it.each([
    [{ epoch: 1, sequence: 0 }, '1:0'],
    [{ epoch: 12, sequence: 4711 }, '12:4711'],
    [{ epoch: 999_999_999_999_999, sequence: 999_999_999_999_999 }, '999999999999999:999999999999999'],
  ])('%j is %s, and is read back', (position, text) => {
    expect(formatPosition(position)).toBe(text);
    expect(parsePosition(text)).toEqual(position);
  });

  it.each(['', '1', ':', '1:', ':1', '0:1', '01:1', '1:01', '-1:1', '1:-1', '1.5:1', '1:1 ', ' 1:1', '1:1:1', '1e3:1'])(
    'is not %j',
    (text) => expect(() => parsePosition(text)).toThrow(PositionError),
  );

  it('is no number that would be rounded', () => {
    expect(() => parsePosition('1:9007199254740993')).toThrow(PositionError);
    expect(() => parsePosition('9007199254740993:1')).toThrow(PositionError);
  });
});
