import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { watchHistory } from './watch-history.ts';

describe('watchHistory', () => {
  let folder = '';
  let file = '';
  let shown: { total: number; done: number };
  const progress = {
    begin: (total: number) => void (shown = { total, done: 0 }),
    advance: (count = 1) => void (shown.done += count),
    note: () => undefined,
    end: () => undefined,
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onepool-watch-'));
    file = join(folder, 'history.ndjson');
    shown = { total: 0, done: 0 };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('counts each buyer by her hold, and not what she does with it', () => {
    const watch = watchHistory(file, progress);
    watch.begin(3);
    writeFileSync(file, '{"kind":"hold","id":"b1 ü"}\n{"kind":"confirm","id":"b1"}\n{"kind":"hold","id":"b2"}\n');
    watch.end();
    expect(shown).toEqual({ total: 3, done: 2 });
  });

  it('counts a wave apart from the one before, whose history it continues', () => {
    writeFileSync(file, '{"kind":"hold","id":"b1"}\n');
    const watch = watchHistory(file, progress);
    watch.begin(1);
    appendFileSync(file, '{"kind":"hold","id":"b2"}\n');
    watch.end();
    expect(shown).toEqual({ total: 1, done: 1 });
  });

  it('does without a history that is not there yet', () => {
    const watch = watchHistory(file, progress);
    watch.begin(1);
    watch.end();
    expect(shown).toEqual({ total: 1, done: 0 });
  });
});
