import { readFileSync } from 'node:fs';
import { KeptFile } from './kept-file.ts';
import type { Report } from './supervised.ts';

/** What our own PostgreSQL is called in the list: its port may change, its data stays. */
const OWN = 'own';

/** Which databases of this home's runtimes hold the demo network already. */
export interface SeededDatabases {
  has(databaseUrl: string | undefined): boolean;
  add(databaseUrl: string | undefined): void;
}

/** Reads the list kept in `file`; `undefined` as an address stands for our own server. */
export function seededDatabases(file: string, report: Report): SeededDatabases {
  const list = new KeptFile(file, { report });
  const read = (): readonly string[] => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as readonly string[];
    } catch {
      return [];
    }
  };
  return {
    has: (databaseUrl) => read().includes(nameOf(databaseUrl)),
    add: (databaseUrl) => list.put(JSON.stringify([...new Set([...read(), nameOf(databaseUrl)])])),
  };
}

/** Without the password. */
function nameOf(databaseUrl: string | undefined): string {
  if (databaseUrl === undefined) return OWN;
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}
