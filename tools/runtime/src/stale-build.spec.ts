import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isBuildStale, rememberBuild } from './stale-build.ts';

const ENTRIES = ['apps/shop/dist/main.js'];

describe('isBuildStale', () => {
  let root: string;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'onepool-build-'));
    for (const name of ['package-lock.json', 'tsconfig.base.json', '.swcrc']) write(name, '{}');
    write('apps/shop/src/main.ts', 'run()');
    write('apps/shop/dist/main.js', 'run()');
    write('libs/stock/src/index.ts', '');
    write('tools/build/src/main.ts', '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is stale before the first build', () => {
    expect(isBuildStale(root, ENTRIES)).toBe(true);
  });

  it('is fresh while nothing changes', () => {
    rememberBuild(root);
    expect(isBuildStale(root, ENTRIES)).toBe(false);
  });

  it.each(['libs/stock/src/index.ts', 'apps/shop/src/new.ts', 'apps/shop/dist/main.js', 'package-lock.json'])(
    'is stale when %s changes',
    (path) => {
      rememberBuild(root);
      write(path, 'other');
      expect(isBuildStale(root, ENTRIES)).toBe(true);
    },
  );

  it('stays fresh when only a spec or a guide changes', () => {
    rememberBuild(root);
    write('libs/stock/src/index.spec.ts', 'it()');
    write('libs/stock/README.md', '# Stock');
    expect(isBuildStale(root, ENTRIES)).toBe(false);
  });

  it("is stale when an app's program is missing", () => {
    rmSync(join(root, 'apps/shop/dist/main.js'));
    rememberBuild(root);
    expect(isBuildStale(root, ENTRIES)).toBe(true);
  });
});
