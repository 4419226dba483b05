import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { TSchema } from '@sinclair/typebox';
import { AvailabilityConfig } from './config.ts';
import { tableBelow } from './testing/readme-table.ts';

/** A default that depends on the machine is told in words. */
const BY_MACHINE = new Map([['ONEPOOL_COMMIT_QUEUES', 'by cores']]);

describe('the README', () => {
  it('lists every setting with its default and what it means', () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    const settings = Object.entries(AvailabilityConfig.properties as Record<string, TSchema>).map(([name, schema]) => {
      const isRequired =
        (AvailabilityConfig.required as readonly string[] | undefined)?.includes(name) &&
        schema['default'] === undefined;
      const preset =
        schema['default'] === undefined ? (isRequired ? 'required' : 'none') : `\`${String(schema['default'])}\``;
      return [`\`${name}\``, BY_MACHINE.get(name) ?? preset, schema.description];
    });
    expect(tableBelow(readme, '## Settings')).toEqual(settings);
  });
});
