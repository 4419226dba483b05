import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { showProgress } from './progress.ts';

describe('showProgress', () => {
  const shown = (isTTY: boolean): string => {
    const output = Object.assign(new PassThrough(), {
      isTTY,
      columns: 120,
      cursorTo: () => true,
      clearLine: () => true,
    });
    const progress = showProgress('sale', 'buyers', output as unknown as NodeJS.WriteStream);
    progress.begin(4);
    progress.advance();
    progress.note('postgres is killed');
    progress.advance(3);
    progress.end();
    return String(output.read());
  };

  it('ends with a plain line that names what was counted, where nobody watches', () => {
    expect(shown(false)).toMatch(/^postgres is killed\nsale: 4 of 4 buyers in \d+ s\n$/);
  });

  it('keeps notes readable beside a bar', () => {
    expect(shown(true)).toContain('\r\u001b[Kpostgres is killed\n');
  });
});
