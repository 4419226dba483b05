import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MeteredBody } from './metered-body.ts';

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}
const metered = (body: AsyncIterable<Uint8Array>) =>
  new MeteredBody(body, { bytesMax: 10, bytesWithoutRowMax: 4 }, (reason) => new Error(reason));
async function read(body: MeteredBody, isRow: (text: string) => boolean = () => true): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of body) {
    texts.push(Buffer.from(chunk).toString());
    if (isRow(texts.at(-1) ?? '')) body.rowRead();
  }
  return texts;
}

describe('a body that is metered', () => {
  it('passes as it is, and says whether its last line is whole', async () => {
    const whole = metered(pieces('ab', 'c\n', ''));
    expect(await read(whole)).toEqual(['ab', 'c\n']);
    expect([whole.bytes, whole.endsWithLine]).toEqual([4, true]);
    expect(whole.digest()).toEqual(hash('sha256', 'abc\n', 'buffer'));
    const cut = metered(pieces('a\nb', ''));
    await read(cut);
    expect(cut.endsWithLine).toBe(false);
    expect(metered(pieces()).endsWithLine).toBe(true);
  });

  it('ends where it is larger than it may be', async () => {
    await expect(read(metered(pieces('aaaa', 'bbbb', 'cccc')))).rejects.toThrow('more than 10 bytes uncompressed');
  });

  it('ends where too many bytes have passed without a row, however many there were before', async () => {
    const isRow = (text: string): boolean => text === 'row';
    await expect(read(metered(pieces('\n\n\n', '\n\n')), isRow)).rejects.toThrow('more than 4 bytes without a row');
    expect(await read(metered(pieces('\n', 'row', '\n', 'row')), isRow)).toHaveLength(4);
    await expect(read(metered(pieces('row', '\n\n\n', '\n\n')), isRow)).rejects.toThrow('without a row');
  });
});
