import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptFile } from './kept-file.ts';

describe('KeptFile', () => {
  const told: string[] = [];
  const written: string[] = [];
  let isFull = false;
  const write = (_file: string, content: string): void => {
    if (isFull) throw new Error('ENOSPC: no space left on device');
    written.push(content);
  };

  beforeEach(() => {
    jest.useFakeTimers();
    told.length = written.length = 0;
    isFull = false;
  });
  afterEach(() => void jest.useRealTimers());

  it('throws when the first content cannot be written, which a start cannot do without', () => {
    isFull = true;
    expect(() => new KeptFile('/h/record', { report: (line) => told.push(line), write }).create('a')).toThrow('ENOSPC');
  });

  it('tells a failing write once, tries it again, and writes the newest content when it can', () => {
    const file = new KeptFile('/h/record', { report: (line) => told.push(line), write });
    isFull = true;
    file.put('a');
    file.put('b');
    jest.advanceTimersByTime(60_000);
    expect(told).toEqual(['/h/record cannot be written, which is tried again: ENOSPC: no space left on device']);

    isFull = false;
    jest.advanceTimersByTime(60_000);
    expect(written).toEqual(['b']);
    expect(told.at(-1)).toBe('/h/record can be written again');
    expect(told).toHaveLength(2);
  });

  it('is readable by its owner alone', () => {
    const home = mkdtempSync(join(tmpdir(), 'onepool-kept-'));
    const file = join(home, 'record');
    new KeptFile(file, { report: () => undefined }).create('{}');
    expect(readFileSync(file, 'utf8')).toBe('{}');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(home, { recursive: true });
  });
});
