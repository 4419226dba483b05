import { describe, expect, it } from '@jest/globals';
import { NATS_SOURCES, findNatsServer } from './find-nats-server.ts';
import { PINNED_NATS_VERSION } from './nats-version.ts';
import type { CommandResult, SearchEnvironment } from './search-environment.ts';

const CACHE = '/home/shop/.cache/onepool';
const PINNED = `${CACHE}/nats-server-v${PINNED_NATS_VERSION}`;

interface Machine {
  readonly variables?: Record<string, string>;
  /** Version by path; a name without a slash is on PATH. */
  readonly programs?: Record<string, string>;
  readonly go?: 'works' | 'fails';
  readonly apt?: 'works' | 'fails';
  readonly release?: 'refused' | 'forged';
  readonly platform?: string;
}

/** A machine that exists only in this test: what it has, and what was asked of it. */
function machine({ variables = {}, programs = {}, go, apt, release = 'refused', platform = 'linux' }: Machine) {
  const installed = new Map(Object.entries(programs));
  const asked: string[] = [];
  const missing: CommandResult = { code: 127, output: 'not found' };
  const answer = (version: string): CommandResult => ({ code: 0, output: `nats-server: v${version}\n` });

  async function run(program: string, args: readonly string[]): Promise<CommandResult> {
    asked.push([program, ...args].join(' '));
    const version = installed.get(program);
    if (version !== undefined) return answer(version);
    if (program === 'go' && go !== undefined) {
      if (args[0] === 'version') return { code: 0, output: 'go version go1.26' };
      return go === 'works' ? { code: 0, output: '' } : { code: 1, output: 'fetching…\nno such host' };
    }
    if (program === 'apt-get' && apt !== undefined)
      return { code: apt === 'works' ? 0 : 100, output: 'E: unreachable' };
    if (program === 'dpkg' && apt === 'works') return { code: 0, output: '' };
    return missing;
  }

  const environment: SearchEnvironment = {
    variables,
    platform,
    architecture: 'x64',
    homeDirectory: '/home/shop',
    run,
    list: async (directory) => {
      if (directory.endsWith('.draft')) return apt === 'works' ? ['nats-server_2.9.10_amd64.deb'] : [];
      const inside = [...installed.keys()].filter((path) => path.startsWith(`${directory}/`));
      return inside.map((path) => path.slice(directory.length + 1));
    },
    download: async (url) => {
      asked.push(`GET ${url}`);
      if (release === 'refused') throw new Error('HTTP 403');
      return Buffer.from('not what was released');
    },
    install: async (target, make) => {
      const made = await make(`${target}.draft`);
      installed.set(target, made.includes('/usr/sbin/') ? '2.9.10' : PINNED_NATS_VERSION);
    },
    write: async () => undefined,
  };
  return { environment, asked };
}

const find = (setup: Machine) => findNatsServer({ environment: machine(setup).environment });

describe('findNatsServer', () => {
  it('looks in the documented order', () => {
    expect(NATS_SOURCES.map(({ name }) => name)).toEqual([
      'NATS_SERVER_BIN',
      'the cache',
      'PATH (2.10.0 or newer)',
      'a Go toolchain',
      'the official release',
      'an older one on PATH',
      "Debian's package",
    ]);
  });

  it.each<[string, Machine, { path: string; version: string }]>([
    [
      'takes the program the variable names, however old, before anything else',
      {
        variables: { NATS_SERVER_BIN: '/opt/nats' },
        programs: { '/opt/nats': '2.9.10', [PINNED]: '2.11.17', 'nats-server': '2.12.0' },
      },
      { path: '/opt/nats', version: '2.9.10' },
    ],
    [
      'takes the pinned version from the cache before a newer one',
      { programs: { [PINNED]: '2.11.17', [`${CACHE}/nats-server-v2.12.1`]: '2.12.1', 'nats-server': '2.12.0' } },
      { path: PINNED, version: '2.11.17' },
    ],
    [
      'takes the newest recent version from the cache when the pinned one is not there',
      { programs: { [`${CACHE}/nats-server-v2.10.9`]: '2.10.9', [`${CACHE}/nats-server-v2.10.22`]: '2.10.22' } },
      { path: `${CACHE}/nats-server-v2.10.22`, version: '2.10.22' },
    ],
    [
      'honours XDG_CACHE_HOME',
      { variables: { XDG_CACHE_HOME: '/cache' }, programs: { '/cache/onepool/nats-server-v2.11.17': '2.11.17' } },
      { path: '/cache/onepool/nats-server-v2.11.17', version: '2.11.17' },
    ],
    [
      'passes over an old one in the cache for a recent one on PATH',
      { programs: { [`${CACHE}/nats-server-v2.9.10`]: '2.9.10', 'nats-server': '2.10.0' } },
      { path: 'nats-server', version: '2.10.0' },
    ],
    [
      'builds the pinned version with Go rather than take an old one from PATH',
      { programs: { 'nats-server': '2.9.10' }, go: 'works' },
      { path: PINNED, version: '2.11.17' },
    ],
    [
      'takes an old one from PATH when Go fails and the release is refused',
      { programs: { 'nats-server': '2.9.10' }, go: 'fails' },
      { path: 'nats-server', version: '2.9.10' },
    ],
    [
      "unpacks Debian's package when nothing else serves",
      { apt: 'works' },
      { path: `${CACHE}/nats-server-debian`, version: '2.9.10' },
    ],
    [
      "uses Debian's package again without fetching it",
      { programs: { [`${CACHE}/nats-server-debian`]: '2.9.10' }, apt: 'fails' },
      { path: `${CACHE}/nats-server-debian`, version: '2.9.10' },
    ],
  ])('%s', async (_rule, setup, expected) => {
    expect(await find(setup)).toEqual(expected);
  });

  it('stops at a named program that does not work instead of taking another', async () => {
    const setup = { variables: { NATS_SERVER_BIN: '/opt/nats' }, programs: { [PINNED]: '2.11.17' } };
    await expect(find(setup)).rejects.toThrow('NATS_SERVER_BIN: /opt/nats cannot be run');
  });

  it('refuses a release archive whose checksum is not the pinned one', async () => {
    await expect(find({ release: 'forged' })).rejects.toThrow(
      /the official release: the archive's SHA-256 is .* not the pinned/,
    );
  });

  it('never downloads a release for a platform without a pinned checksum', async () => {
    const { environment, asked } = machine({ platform: 'darwin' });
    await expect(findNatsServer({ environment })).rejects.toThrow('no checksum is pinned for darwin-amd64');
    expect(asked.filter((question) => question.startsWith('GET'))).toEqual([]);
  });

  it('gives every reason and the way out in one error', async () => {
    const failure = await find({ go: 'fails', apt: 'fails' }).catch((error: Error) => error.message);
    expect(failure).toBe(
      [
        'No nats-server was found.',
        '  NATS_SERVER_BIN: not set',
        `  the cache: no usable nats-server-v… in ${CACHE}`,
        '  PATH (2.10.0 or newer): nats-server cannot be run',
        '  a Go toolchain: go install failed: no such host',
        '  the official release: HTTP 403',
        '  an older one on PATH: nats-server cannot be run',
        "  Debian's package: apt-get download failed: E: unreachable",
        'Install nats-server 2.11.17 (https://nats.io/download) and put it on PATH, or name it in NATS_SERVER_BIN, ' +
          'or set NATS_URL to use a running server with JetStream.',
      ].join('\n'),
    );
  });
});
