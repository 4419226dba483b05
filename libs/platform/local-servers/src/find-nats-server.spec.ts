import { describe, expect, it } from '@jest/globals';
import { NATS_SOURCES, findNatsServer, natsWarning } from './find-nats-server.ts';
import { PINNED_NATS_VERSION } from './nats-version.ts';
import type { CommandResult, RunOptions, SearchEnvironment } from './search-environment.ts';

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
  /** What Debian offers, 2.9.10 unless said otherwise. */
  readonly debian?: string;
}

/** A machine that exists only in this test: what it has, and what was asked of it. */
function machine({
  variables = {},
  programs = {},
  go,
  apt,
  release = 'refused',
  platform = 'linux',
  debian = '2.9.10',
}: Machine) {
  const installed = new Map(Object.entries(programs));
  const asked: string[] = [];
  const files = new Map<string, string>();
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const missing: CommandResult = { code: 127, output: 'not found' };
  const answer = (version: string): CommandResult => ({ code: 0, output: `nats-server: v${version}\n` });

  async function run(program: string, args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    asked.push([program, ...args].join(' '));
    const version = installed.get(program);
    if (version !== undefined) return answer(version);
    if (program === 'go' && go !== undefined) {
      if (args[0] === 'version') return { code: 0, output: 'go version go1.26' };
      for (const line of ['go: downloading golang.org/x/crypto', 'internal/abi', 'net/http']) {
        clock.now += 3_000;
        options?.onLine?.(line);
      }
      return go === 'works' ? { code: 0, output: '' } : { code: 1, output: 'fetching…\nno such host' };
    }
    if (program === 'apt-cache' && apt !== undefined) return { code: 0, output: `  Candidate: ${debian}-1\n` };
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
      if (directory.endsWith('.draft')) return apt === 'works' ? [`nats-server_${debian}_amd64.deb`] : [];
      const inside = [...installed.keys()].filter((path) => path.startsWith(`${directory}/`));
      return inside.map((path) => path.slice(directory.length + 1));
    },
    download: async (url, onBytes) => {
      asked.push(`GET ${url}`);
      clock.now += 3_000;
      onBytes?.(1_500_000, 6_000_000);
      if (release === 'refused') throw new Error('HTTP 403');
      return Buffer.from('not what was released');
    },
    install: async (target, make) => {
      const made = await make(`${target}.draft`);
      installed.set(target, made.includes('/usr/sbin/') ? debian : PINNED_NATS_VERSION);
    },
    write: async (path, content) => void files.set(path, String(content)),
    read: async (path) => files.get(path) ?? '',
    now: () => clock.now,
  };
  return { environment, asked, files, clock };
}

const find = (setup: Machine) => findNatsServer({ environment: machine(setup).environment });

describe('findNatsServer', () => {
  it('looks in the documented order', () => {
    expect(NATS_SOURCES.map(({ name }) => name)).toEqual([
      'NATS_SERVER_BIN',
      'the cache',
      'PATH (2.10.0 or newer)',
      'the official release',
      "Debian's package (2.10.0 or newer)",
      'a Go toolchain',
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
      "unpacks a recent package of Debian's rather than build",
      { apt: 'works', debian: '2.10.27', go: 'works' },
      { path: `${CACHE}/nats-server-v2.10.27`, version: '2.10.27' },
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
    expect(await find(setup)).toMatchObject(expected);
  });

  it('names the source of what it found', async () => {
    expect(await find({ programs: { 'nats-server': '2.12.0' } })).toMatchObject({ source: 'PATH (2.10.0 or newer)' });
  });

  it('tells how far a download and a build have come', async () => {
    const told: string[] = [];
    const { environment } = machine({ go: 'works' });
    await findNatsServer({ environment, onProgress: (message) => told.push(message) });
    expect(told).toEqual([
      'downloading nats-server 2.11.17',
      '1.5 of 6.0 MB in 3 s',
      "looking at Debian's nats-server package",
      'building nats-server 2.11.17 with Go, which takes a minute or two',
      'Go, 3 s: go: downloading golang.org/x/crypto',
      'Go, 6 s: 1 packages compiled, now internal/abi',
      'Go, 9 s: 2 packages compiled, now net/http',
    ]);
  });

  describe('when a search took long and was in vain', () => {
    const onlyOld: Machine = { programs: { 'nats-server': '2.9.10' }, go: 'fails', variables: { PATH: '/bin' } };
    const slow = (asked: readonly string[]): readonly string[] =>
      asked.filter((question) => /^GET|^go install/.test(question));
    const MEMORY = `${CACHE}/nats-server-misses.json`;

    it('is not repeated for a day', async () => {
      const { environment, asked, clock } = machine(onlyOld);
      expect(await findNatsServer({ environment })).toMatchObject({ version: '2.9.10' });
      expect(slow(asked)).toHaveLength(2);
      clock.now += 23 * 3_600_000;
      expect(await findNatsServer({ environment })).toMatchObject({ version: '2.9.10' });
      expect(slow(asked)).toHaveLength(2);
      clock.now += 2 * 3_600_000;
      await findNatsServer({ environment });
      expect(slow(asked)).toHaveLength(4);
    });

    it('is repeated when PATH or a proxy changed, or when the file that remembers it is removed', async () => {
      const { environment, asked, files } = machine(onlyOld);
      await findNatsServer({ environment });
      const elsewhere = { ...environment, variables: { PATH: '/bin', HTTPS_PROXY: 'http://proxy' } };
      await findNatsServer({ environment: elsewhere });
      expect(slow(asked)).toHaveLength(4);
      files.delete(MEMORY);
      await findNatsServer({ environment: elsewhere });
      expect(slow(asked)).toHaveLength(6);
    });

    it('is repeated where nothing else serves', async () => {
      const { environment, asked } = machine({ go: 'fails' });
      await expect(findNatsServer({ environment })).rejects.toThrow('no such host');
      await expect(findNatsServer({ environment })).rejects.toThrow('no such host');
      expect(slow(asked)).toHaveLength(4);
    });

    it('is tried again from the start after nonsense in the file', async () => {
      const { environment, asked, files } = machine(onlyOld);
      files.set(MEMORY, '{');
      await findNatsServer({ environment });
      expect(slow(asked)).toHaveLength(2);
    });
  });

  it('warns of an old one, and how to get a newer', () => {
    expect(natsWarning({ path: '/usr/sbin/nats-server', version: '2.9.10' })).toMatch(
      /2\.9\.10 .* older than 2\.10\.0.*NATS_SERVER_BIN.*nats-server-misses\.json/,
    );
    expect(natsWarning({ path: '/bin/nats-server', version: '2.10.0' })).toBeUndefined();
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
        '  the official release: HTTP 403',
        "  Debian's package (2.10.0 or newer): version 2.9.10 is older",
        '  a Go toolchain: go install failed: no such host',
        '  an older one on PATH: nats-server cannot be run',
        "  Debian's package: apt-get download failed: E: unreachable",
        'Install nats-server 2.11.17 (https://nats.io/download) and put it on PATH, or name it in NATS_SERVER_BIN, ' +
          'or set NATS_URL to use a running server with JetStream.',
      ].join('\n'),
    );
  });
});
