import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { COMMITS, PLANTED_BUGS, commitNames, plantedBugs } from './known-failpoints.ts';

const root = join(import.meta.dirname, '../../../..');
const SHIPPED = ['apps', 'libs'];
const NOT_SHIPPED = /(^|\/)(dist|node_modules|testing|spec-support)\/|\.(int-)?spec\.ts$|^libs\/platform\/failpoints\//;

const shippedFiles = SHIPPED.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
).filter((path) => path.endsWith('.ts') && !NOT_SHIPPED.test(path));

interface Use {
  readonly file: string;
  readonly called: string;
  readonly argument: string;
}

const uses: readonly Use[] = shippedFiles.flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/\b(commitPoint|failpoint|variant)\(\s*([^),]*)/g)].map(
    ([, called = '', argument = '']) => ({ file, called, argument: argument.trim() }),
  ),
);
const literal = ({ argument }: Use): string | undefined => /^'([\w.]+)'$/.exec(argument)?.[1];
const namesIn = (called: string): string[] =>
  uses.flatMap((use) => (use.called === called ? [literal(use) ?? use.argument] : [])).sort();

describe('shipped code', () => {
  it('names each commit once, and they are the known ones', () => {
    expect(namesIn('commitPoint')).toEqual([...commitNames].sort());
  });

  it('has each planted bug at one place, and they are the known ones', () => {
    expect(namesIn('variant')).toEqual([...plantedBugs].sort());
  });

  it('passes no failpoint but those of its commits, whose names are where the commit is named', () => {
    const passed = uses.filter(({ called }) => called === 'failpoint').map(({ argument }) => argument);
    expect(passed.filter((argument) => !/\.(before|after)$/.test(argument))).toEqual([]);
  });

  it('names things after their library', () => {
    const strangers = uses.filter((use) => {
      const [scope = ''] = literal(use)?.split('.') ?? [];
      return use.called !== 'failpoint' && !use.file.split('/').includes(scope);
    });
    expect(strangers).toEqual([]);
  });
});

describe('the README', () => {
  const page = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  const rows = (heading: string): Record<string, string> => {
    const [, section = ''] = page.split(`\n## ${heading}\n`);
    const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
    return Object.fromEntries(
      lines.map((line) => {
        const [, name = '', what = ''] = line.split('|').map((cell) => cell.trim());
        return [name.replaceAll('`', ''), what];
      }),
    );
  };

  it('lists every commit and every planted bug as they are known', () => {
    expect(rows('Commits')).toEqual(COMMITS);
    expect(rows('Planted bugs')).toEqual(PLANTED_BUGS);
  });
});
