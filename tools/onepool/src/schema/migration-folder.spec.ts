import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '@onepool/platform-config';
import { schemaCommand } from './command.ts';
import { MigrationFolder } from './migration-folder.ts';

const repository = join(import.meta.dirname, '../../../..');
const SQL = 'libs/shop/data-access/src/sql';

let root: string;
let printed: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'onepool-migrations-'));
  mkdirSync(join(root, SQL), { recursive: true });
  put('0001-create.sql', 'CREATE TABLE shop ()');
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (file: string, sql: string): void => writeFileSync(join(root, SQL, file), sql);
const remove = (file: string): void => rmSync(join(root, SQL, file));
async function run(...args: readonly string[]): Promise<string> {
  printed = [];
  const print = (text: string): void => void printed.push(text);
  await schemaCommand({ home: root, print }, root).parseAsync(args, { from: 'user' });
  return printed.join('\n');
}
const write = (): Promise<string> => run('write', '--lists');
const refused = async (sentence: string, ...args: readonly string[]): Promise<void> => {
  const list = join(root, SQL, 'checksums.json');
  const before = readFileSync(list, 'utf8');
  await expect(run(...args)).rejects.toThrow(OperatorError);
  await expect(run(...args)).rejects.toThrow(sentence);
  expect(readFileSync(list, 'utf8')).toBe(before);
};

describe('the migrations of this repository', () => {
  it('are what their lists of checksums say, numbered without a gap', () => {
    const folders = MigrationFolder.all(repository);
    expect(folders.length).toBeGreaterThanOrEqual(4);
    expect(folders.flatMap((folder) => folder.faults())).toEqual([]);
  });
});

describe('a migration that is not frozen', () => {
  it('may be rewritten: the check says how to note it', async () => {
    await write();
    expect(await run('check')).toBe('Every migration is what its list says.');
    put('0001-create.sql', 'CREATE TABLE shop (name text)');
    await refused(`${SQL}/0001-create.sql is not what checksums.json says: run \`npm run onepool -- schema write\``);
    await write();
    await run('check');
  });

  it.each([
    ['is not listed', () => put('0002-more.sql', 'SELECT 1'), '0002-more.sql is not what checksums.json says'],
    ['is listed and gone', () => remove('0001-create.sql'), '0001-create.sql is not what checksums.json says'],
  ])('is noticed when it %s', async (_, change, sentence) => {
    await write();
    change();
    await refused(sentence, 'check');
    await refused(sentence, 'freeze');
  });
});

describe('a frozen migration', () => {
  beforeEach(async () => {
    await write();
    await run('freeze');
  });

  it.each([
    ['changed', 'was changed', () => put('0001-create.sql', 'CREATE TABLE shops ()')],
    ['gone', 'gone', () => remove('0001-create.sql')],
  ])('is refused when it is %s, by every command, with what to do', async (_, how, change) => {
    change();
    for (const args of [['check'], ['write', '--lists'], ['write'], ['freeze']])
      await refused(
        `${SQL}/0001-create.sql is frozen and ${how}, but databases have applied it as it was: restore it, and write 0002-….sql.`,
        ...args,
      );
  });

  it('stays frozen when another is written after it, which may still change', async () => {
    put('0002-more.sql', 'SELECT 1');
    await write();
    put('0002-more.sql', 'SELECT 2');
    await write();
    await run('check');
    put('0001-create.sql', 'SELECT 1');
    await refused('0001-create.sql is frozen and was changed', 'write', '--lists');
  });

  it('is the same file with the line ends of Windows', async () => {
    put('0002-lines.sql', 'SELECT 1;\nSELECT 2;\n');
    await write();
    put('0002-lines.sql', 'SELECT 1;\r\nSELECT 2;\r\n');
    await run('check');
  });
});

describe('the numbers of migrations', () => {
  it.each([
    ['0003-late.sql', '0003-late.sql should have the number 0002: each number comes once, none is left out.'],
    ['0001-twice.sql', '0001-twice.sql should have the number 0002'],
    ['2-short.sql', '2-short.sql is no name of a migration: 0001-what-it-does.sql'],
    ['0002_underscored.sql', '0002_underscored.sql is no name of a migration'],
  ])('leave no room for %s', async (file, sentence) => {
    await write();
    put(file, 'SELECT 1');
    await refused(sentence, 'check');
    await refused(sentence, 'write', '--lists');
  });
});
