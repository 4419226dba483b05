import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { planInstances, readApps } from './app-catalogue.ts';

const apps = [
  { name: 'availability', portOffset: 1, entry: 'a.js' },
  { name: 'brokering', portOffset: 2, entry: 'b.js', heapMb: 256 },
];
const ports = (replicas: [string, number][]): [string, number][] =>
  planInstances(apps, 3000, new Map(replicas)).map(({ name, port }) => [name, port]);

describe('planInstances', () => {
  it('gives the first replica of each app its own port', () => {
    expect(ports([])).toEqual([
      ['availability-1', 3001],
      ['brokering-1', 3002],
    ]);
  });

  it('gives further replicas, of whichever app, the ports from +21 on, each once', () => {
    expect(
      ports([
        ['availability', 3],
        ['brokering', 2],
      ]),
    ).toEqual([
      ['availability-1', 3001],
      ['availability-2', 3021],
      ['availability-3', 3022],
      ['brokering-1', 3002],
      ['brokering-2', 3023],
    ]);
  });

  it('bounds the heap of an app that says how much it needs', () => {
    expect(planInstances(apps, 3000, new Map()).map(({ args }) => args)).toEqual([
      ['a.js'],
      ['--max-old-space-size=256', 'b.js'],
    ]);
  });
});

describe('the apps of a workspace', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'apps-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function addApp(name: string, onepool?: object, hasMigrations = false): void {
    mkdirSync(join(root, 'apps', name, 'src'), { recursive: true });
    writeFileSync(join(root, 'apps', name, 'package.json'), JSON.stringify({ name, onepool }));
    if (hasMigrations) writeFileSync(join(root, 'apps', name, 'src/migrate.ts'), '');
  }

  it('are the folders whose package.json says how to start them, in the order of their ports', () => {
    addApp('brokering', { port: 2, heapMb: 256 }, true);
    addApp('availability', { port: 1, seed: 'tools/seed/src/main.ts' });
    addApp('simulator');
    expect(readApps(root)).toEqual([
      {
        name: 'availability',
        portOffset: 1,
        entry: 'apps/availability/dist/main.js',
        seed: 'tools/seed/src/main.ts',
      },
      {
        name: 'brokering',
        portOffset: 2,
        entry: 'apps/brokering/dist/main.js',
        migrate: 'apps/brokering/dist/migrate.js',
        heapMb: 256,
      },
    ]);
  });

  it('are told in words when one cannot be started as it says', () => {
    addApp('brokering', { port: 10 });
    expect(() => readApps(root)).toThrow(/^apps\/brokering\/package.json: onepool\/port: .*9/);
    addApp('brokering', { port: 1 });
    addApp('availability', { port: 1 });
    expect(() => readApps(root)).toThrow('apps/availability and apps/brokering both have the port +1');
  });
});
