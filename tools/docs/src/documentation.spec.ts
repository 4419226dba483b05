import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commandBlocks, everyFence, pagesBelow, tagFault } from './command-blocks.ts';
import { commandFaults, optionsOfScripts } from './command-faults.ts';

const root = join(import.meta.dirname, '../../..');
const fences = everyFence(root);
const at = ({ page, line }: { page: string; line: number }): string => `${page}:${line}`;

describe('the pages of documentation', () => {
  it('tag every block of commands as run, verify or example', () => {
    expect(fences.length).toBeGreaterThan(20);
    expect(
      fences.flatMap((fence) => (tagFault(fence) === undefined ? [] : `${at(fence)}: ${tagFault(fence)}`)),
    ).toEqual([]);
  });

  it('name only scripts, options and files that exist', () => {
    const scripts = optionsOfScripts(root);
    const faults = commandBlocks(root).flatMap((block) =>
      commandFaults(block, scripts, root).map((fault) => `${at(block)}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  it('link only to what exists', () => {
    const broken = pagesBelow(root)
      .filter((page) => !page.endsWith('template.md'))
      .flatMap((page) => {
        const prose = readFileSync(join(root, page), 'utf8').replaceAll(/```[^]*?```|`[^`]*`/g, '');
        const links = [...prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => target!);
        const missing = links.filter(
          (target) => !/^\w+:/.test(target) && !existsSync(join(root, dirname(page), target)),
        );
        return missing.map((target) => `${page}: ${target}`);
      });
    expect(broken).toEqual([]);
  });

  it('have blocks that CI runs: the tour of the README among them', () => {
    expect(commandBlocks(root, 'run').map(({ page }) => page)).toContain('README.md');
  });
});
