import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PLANTED_BUGS } from './planted-bugs.ts';

const root = join(import.meta.dirname, '../../../..');

describe('planted bugs of supply', () => {
  it.each(PLANTED_BUGS.map((bug) => [bug.name, bug] as const))('%s: is at one place', (_, { file, right, wrong }) => {
    expect(readFileSync(join(root, file), 'utf8').split(right)).toHaveLength(2);
    expect(wrong).not.toBe(right);
  });

  it('have names of their own', () => {
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
  });
});
