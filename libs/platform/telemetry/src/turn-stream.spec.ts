import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { TurnStream } from './turn-stream.ts';

function setUp() {
  const written: string[] = [];
  return { written, stream: new TurnStream({ write: (text) => void written.push(text) }) };
}

describe('the lines of a turn', () => {
  it('are written at its end, together and in order', async () => {
    const { stream, written } = setUp();
    stream.write('a\n');
    stream.write('b\n');
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual(['a\nb\n']);
    stream.write('c\n');
    await turn();
    expect(written).toEqual(['a\nb\n', 'c\n']);
  });

  it('are written before it ends when there are many, each once', async () => {
    const { stream, written } = setUp();
    const line = `${'x'.repeat(999)}\n`;
    for (let count = 0; count < 100; count += 1) stream.write(line);
    expect(written.length).toBeGreaterThan(0);
    await turn();
    expect(written.join('')).toBe(line.repeat(100));
  });

  it('are written when they are asked for, as at the end of the process', async () => {
    const { stream, written } = setUp();
    stream.write('last words\n');
    stream.flush();
    expect(written).toEqual(['last words\n']);
    await turn();
    expect(written).toHaveLength(1);
  });
});
