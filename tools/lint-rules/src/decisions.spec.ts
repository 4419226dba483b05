import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { workspaceRoot } from './lint-fixtures.ts';

const folder = join(workspaceRoot, 'docs/adr');
const pages = readdirSync(folder).filter((name) => /^\d{4}-.+\.md$/.test(name));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('architecture decision records', () => {
  it('are numbered in order, without gaps', () => {
    expect(pages.map((name) => Number(name.slice(0, 4)))).toEqual(pages.map((_, index) => index + 1));
  });

  it('are each listed in the index with their title', () => {
    const index = read('README.md');
    const title = (name: string): string => /^# \d{4}\. (.+)$/m.exec(read(name))?.[1] ?? 'untitled';
    expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
    expect(pages.filter((name) => !index.includes(title(name)))).toEqual([]);
  });

  it.each(pages)('%s has a known status and every section', (name) => {
    const page = read(name);
    expect(page).toMatch(/^- Status: (proposed|accepted|superseded by \[\d{4}\])/m);
    expect(page.match(/^## .+$/gm)).toEqual(['## Context', '## Decision', '## Consequences', '## Enforced by']);
  });
});
