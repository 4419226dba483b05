/** The catalogue can move out, because the engine names its tables in one place. */
import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SECTION = /\n-- What is read of the catalogue -+\n[^]*?(?=\n-- [A-Z][a-z ]+ -{20,}\n|$)/;
const RELATION =
  /\bcatalog\.[a-z_]+|\b(?:from|join|into|update|only)\s+(?:sku|node|channel|threshold|fence|stop_rule|allowance|receipt_policy|price|catalog_epoch)\b/gi;

const foundIn = (sql: string): readonly string[] => sql.match(RELATION) ?? [];

describe('the engine', () => {
  const isOfTests = (file: string): boolean => file.endsWith('spec.ts') || file.startsWith('testing/');
  const files = globSync('**/*.{ts,sql}', { cwd: import.meta.dirname }).filter((file) => !isOfTests(file));

  it('names relations of the catalogue only where its own views of them are made', () => {
    const found = files.flatMap((file) => {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8').replace(SECTION, '');
      return foundIn(text).map((name) => `${file}: ${name}`);
    });
    expect(files.length).toBeGreaterThan(50);
    expect(found).toEqual([]);
  });

  it('has views of no more than it needs', () => {
    const [section = ''] = readFileSync(join(import.meta.dirname, 'sql/0001-create.sql'), 'utf8').match(SECTION) ?? [];
    expect([...section.matchAll(/CREATE VIEW (\w+)/g)].map(([, name]) => name)).toEqual([
      'rules_epoch',
      'sku_code',
      'rules_node',
      'rules_channel',
      'rules_threshold',
      'rules_fence',
      'rules_allowance',
      'rules_receipt',
      'rules_stop',
    ]);
    expect(foundIn(section)).toHaveLength(9);
  });
});
