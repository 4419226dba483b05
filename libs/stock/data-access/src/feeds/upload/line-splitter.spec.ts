import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wholeLines } from './line-splitter.ts';

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function linesOf(text: string, sizes: readonly number[], longest?: number): Promise<(string | null)[]> {
  const lines: (string | null)[] = [];
  for await (const piece of wholeLines(inPieces(text, sizes), longest)) {
    if (piece === null) lines.push(null);
    else lines.push(...piece.toString().split('\n'));
  }
  return lines;
}

describe('wholeLines', () => {
  it('gives every line once and in order, wherever the stream is cut', async () => {
    const text = fc.array(fc.constantFrom('a', 'ü', '\n', ',', '\r'), { maxLength: 60 }).map((all) => all.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(9), { maxLength: 20 }), async (all, sizes) => {
        // What follows the last line feed is a line only if there is something.
        expect(await linesOf(all, sizes)).toEqual(
          all.endsWith('\n') || all === '' ? all.split('\n').slice(0, -1) : all.split('\n'),
        );
      }),
    );
  });

  it('tells a line that is too long once, keeps none of it, and goes on after it', async () => {
    const long = 'x'.repeat(50);
    const sizes = Array.from({ length: 12 }, () => 5);
    expect(await linesOf(`a\n${long}\nb\n`, sizes, 10)).toEqual(['a', null, 'b']);
    expect(await linesOf(`a\n${long}`, sizes, 10)).toEqual(['a', null]);
  });
});
