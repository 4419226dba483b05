import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogKeeper } from './log-keeper.ts';
import { rotateLog } from './rotate-log.ts';

describe('a log that grows while others write it', () => {
  let home: string;
  let file: string;
  const read = (path: string): string => readFileSync(path, 'utf8');

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'onepool-logs-'));
    file = join(home, 'app.log');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('is left alone while it is small, or not there', () => {
    expect(rotateLog(file, 10)).toBe('small');
    writeFileSync(file, '0123456789');
    expect(rotateLog(file, 10)).toBe('small');
    expect(read(file)).toBe('0123456789');
  });

  it('is set aside whole, and who has it open goes on at its beginning', () => {
    const log = openSync(file, 'a');
    for (let line = 1; line <= 3; line += 1) {
      writeSync(log, `line ${line}, long enough\n`);
      expect(rotateLog(file, 10)).toBe('rotated');
      expect(read(`${file}.1`)).toBe(`line ${line}, long enough\n`);
      expect(statSync(file).size).toBe(0);
    }
    writeSync(log, 'last\n');
    expect(read(file)).toBe('last\n');
    closeSync(log);
  });

  it('keeps what is appended while it is copied', () => {
    const log = openSync(file, 'a');
    writeSync(log, 'before, long enough\n');
    const write = (copy: number, chunk: Uint8Array): void => {
      if (!chunk.toString().includes('meanwhile')) writeSync(log, 'meanwhile\n');
      writeSync(copy, chunk);
    };
    rotateLog(file, 10, { write });
    expect(read(`${file}.1`)).toBe('before, long enough\nmeanwhile\n');
    closeSync(log);
  });

  it('may be written by another process that knows nothing of it', async () => {
    const log = openSync(file, 'a');
    const program = `process.stdout.write('first, long enough\\n'); process.stdin.once('data', () => { process.stdout.write('second\\n'); process.exit(); })`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', log, 'inherit'] });
    closeSync(log);
    while (!existsSync(file) || statSync(file).size === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(rotateLog(file, 10)).toBe('rotated');
    child.stdin!.end('go\n');
    await once(child, 'close');
    expect(read(file)).toBe('second\n');
  });

  it('is emptied all the same where there is no room for the copy, of which nothing is left', () => {
    writeFileSync(file, 'long enough to be too long');
    writeFileSync(`${file}.1`, 'older');
    const write = (): void => {
      throw new Error('ENOSPC');
    };
    expect(rotateLog(file, 10, { write })).toBe('emptied');
    expect(statSync(file).size).toBe(0);
    expect(existsSync(`${file}.1`)).toBe(false);
  });

  it('is told of once when it cannot be set aside, and the others are looked after all the same', () => {
    const told: string[] = [];
    // Nobody can empty a directory.
    mkdirSync(join(home, 'a.log'));
    writeFileSync(file, 'long enough to be too long');
    const keeper = new LogKeeper(home, (line) => told.push(line), { limitBytes: 10, lookMs: 3_600_000 });
    keeper.look();
    keeper.stop();
    expect(told).toEqual([expect.stringMatching(/a\.log cannot be set aside: EISDIR/)]);
    expect(read(`${file}.1`)).toBe('long enough to be too long');
  });
});
