/** What the system's own logs say that it should not. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FORBIDDEN = [
  { file: /^postgres\.log$/, line: / 40P01 /, what: 'deadlocks' },
  { file: /^postgres\.log$/, line: / (PANIC|TRAP): /, what: 'panics' },
  { file: /^availability-.*\.log$/, line: /unhandled rejection|Broken invariant/, what: 'broken invariants' },
  { file: /^availability-.*\.log$/, line: /"code":"internal/, what: 'failures nobody expected' },
];

/** One line for each kind of thing found, with the first example. */
export function forbiddenLogLines(folder: string): string[] {
  const files = readdirSync(folder).map((name) => ({
    name,
    lines: readFileSync(join(folder, name), 'utf8').split('\n'),
  }));
  return FORBIDDEN.flatMap(({ file, line, what }) => {
    const found = files
      .filter(({ name }) => file.test(name))
      .flatMap(({ lines }) => lines.filter((one) => line.test(one)));
    return found.length === 0 ? [] : [`the logs show ${found.length} ${what}, first: ${found[0]?.slice(0, 400)}`];
  });
}
