import { describe, expect, it } from '@jest/globals';
import { parsePostmaster } from './postmaster-file.ts';

const WHOLE = '4711\n/h/postgres/data\n1800000000\n3010\n\n127.0.0.1\n  1234   5\nready   \n';

describe('postmaster.pid', () => {
  it('gives the process, the port and whether the server answers', () => {
    expect(parsePostmaster(WHOLE)).toEqual({ pid: 4711, port: 3010, ready: true });
  });

  it('is not ready while the server still recovers', () => {
    expect(parsePostmaster(WHOLE.replace('ready   ', 'starting'))).toMatchObject({ ready: false });
  });

  it.each(['', '\n', '4711', 'abc\n/h\n1\n3010\n', '0\n/h\n1\n3010\n'])('is not believed when it reads %j', (text) => {
    expect(parsePostmaster(text)).toBeUndefined();
  });
});
