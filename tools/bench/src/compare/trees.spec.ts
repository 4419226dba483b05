import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type CompareGroup, WORKLOADS } from './protocol.ts';
import { knowsAll } from './trees.ts';

const GROUPS = Object.keys(WORKLOADS) as CompareGroup[];
const protocol = readFileSync(join(import.meta.dirname, 'protocol.ts'), 'utf8');
/** As it was when there were two groups. */
const earlier = protocol.replace(/^ {2}(feed|scale): \[.*\n/gm, '');

describe('a child of another revision', () => {
  it('knows the groups whose workloads its protocol lists', () => {
    expect(knowsAll(protocol, GROUPS)).toBe(true);
    expect(knowsAll(earlier, ['reserve', 'http'])).toBe(true);
  });

  it.each(['feed', 'scale'] as const)('is lent another when it was written before %s', (group) => {
    expect(knowsAll(earlier, ['reserve', group])).toBe(false);
  });

  it('is lent one when there is none', () => {
    expect(knowsAll('', ['reserve'])).toBe(false);
  });
});
