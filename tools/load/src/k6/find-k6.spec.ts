import { describe, expect, it, jest } from '@jest/globals';
import type { CommandResult, FoundProgram, ProgramSource, SearchEnvironment } from '@onepool/platform-local-servers';
import { K6_SOURCES, findK6 } from './find-k6.ts';
import { PINNED_K6_VERSION, parseK6Version } from './k6-sources.ts';

const CACHED = `/home/shop/.cache/onepool/k6-v${PINNED_K6_VERSION}`;

interface Machine {
  readonly variables?: Record<string, string>;
  /** Version by path; a name without a slash is on PATH. */
  readonly programs?: Record<string, string>;
  readonly go?: 'works' | 'cannot fetch' | 'cannot build';
}

/** A machine that exists only in this test: what it has, and what was asked of it. */
function machine({ variables = {}, programs = {}, go }: Machine) {
  const installed = new Map(Object.entries(programs));
  const asked: string[] = [];
  const runGo = (what: string | undefined): CommandResult => {
    if (what === 'version') return { code: 0, output: 'go version go1.26' };
    if (what === 'mod') {
      const answer = go === 'cannot fetch' ? { Error: 'k6: 403 Forbidden' } : { Dir: '/go/pkg/mod/k6' };
      return { code: go === 'cannot fetch' ? 1 : 0, output: `go: downloading k6\n${JSON.stringify(answer)}\n` };
    }
    return go === 'works' ? { code: 0, output: '' } : { code: 1, output: 'compiling\nno space left on device\n' };
  };
  const environment: SearchEnvironment = {
    variables,
    platform: 'linux',
    architecture: 'x64',
    homeDirectory: '/home/shop',
    run: async (program, args, options) => {
      asked.push([program, ...args, ...(options?.cwd ? [`in ${options.cwd}`] : [])].join(' '));
      const version = installed.get(program);
      if (version !== undefined) return { code: 0, output: `k6 v${version} (go1.26, linux/amd64)\n` };
      if (program === 'go' && go !== undefined) return runGo(args[0]);
      return { code: 127, output: 'not found' };
    },
    list: async () => [],
    download: async (url) => {
      throw new Error(`Nothing may be downloaded: ${url}`);
    },
    install: async (target, make) => {
      await make(`${target}.draft`);
      installed.set(target, PINNED_K6_VERSION);
    },
    write: async () => undefined,
    read: async () => '',
    now: () => 0,
  };
  return { environment, asked };
}

const find = (setup: Machine) => findK6({ environment: machine(setup).environment });

describe('findK6', () => {
  it('looks in the documented order', () => {
    expect(K6_SOURCES.map(({ name }) => name)).toEqual(['K6_BIN', 'PATH (2.2.0)', 'the cache', 'a Go toolchain']);
  });

  it.each<[string, Machine, { path: string; version: string }]>([
    [
      'takes the program the variable names before anything else, of whatever version',
      { variables: { K6_BIN: '/opt/k6' }, programs: { '/opt/k6': '1.0.0', k6: PINNED_K6_VERSION } },
      { path: '/opt/k6', version: '1.0.0' },
    ],
    [
      'takes the one on PATH when it has the pinned version',
      { programs: { k6: PINNED_K6_VERSION, [CACHED]: PINNED_K6_VERSION } },
      { path: 'k6', version: PINNED_K6_VERSION },
    ],
    [
      'passes over another version on PATH for the cache',
      { programs: { k6: '2.1.0', [CACHED]: PINNED_K6_VERSION } },
      { path: CACHED, version: PINNED_K6_VERSION },
    ],
    ['builds it with Go when it is nowhere', { go: 'works' }, { path: CACHED, version: PINNED_K6_VERSION }],
  ])('%s', async (_rule, setup, expected) => {
    expect(await find(setup)).toMatchObject(expected);
  });

  it("builds in the module's own folder, so that its go.sum decides what is built", async () => {
    const { environment, asked } = machine({ go: 'works' });
    await findK6({ environment });
    expect(asked).toContain(`go mod download -json go.k6.io/k6/v2@v${PINNED_K6_VERSION}`);
    expect(asked.find((question) => question.startsWith('go build'))).toMatch(/ in \/go\/pkg\/mod\/k6$/);
  });

  it('says now and then that a build still goes on, and nothing more once it has ended', async () => {
    jest.useFakeTimers();
    try {
      const said: string[] = [];
      let end: (program: FoundProgram) => void = () => undefined;
      const built = new Promise<FoundProgram>((resolve) => (end = resolve));
      const source: ProgramSource = { name: 'slow', announcement: 'building k6', find: () => built };
      const found = findK6({ environment: machine({}).environment, onProgress: (line) => said.push(line) }, [source]);
      await jest.advanceTimersByTimeAsync(20_000);
      end({ path: 'k6', version: PINNED_K6_VERSION });
      await found;
      await jest.advanceTimersByTimeAsync(60_000);
      expect(said).toEqual(['building k6', '10 s so far: building k6', '20 s so far: building k6']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('stops at a named program that does not work instead of taking another', async () => {
    const setup = { variables: { K6_BIN: '/opt/k6' }, programs: { k6: PINNED_K6_VERSION } };
    await expect(find(setup)).rejects.toThrow('K6_BIN: /opt/k6 cannot be run');
  });

  it('gives every reason and the way out in one error', async () => {
    const failure = await find({ programs: { k6: '0.50.0' }, go: 'cannot fetch' }).catch(
      (error: Error) => error.message,
    );
    expect(failure).toBe(
      [
        'No k6 was found.',
        '  K6_BIN: not set',
        '  PATH (2.2.0): k6 is version 0.50.0',
        `  the cache: ${CACHED} cannot be run`,
        '  a Go toolchain: go mod download failed: k6: 403 Forbidden',
        'Install k6 2.2.0 (https://grafana.com/docs/k6) and put it on PATH, or name it in K6_BIN, ' +
          'or install Go (https://go.dev/dl), with which it is built once.',
      ].join('\n'),
    );
    await expect(find({ go: 'cannot build' })).rejects.toThrow('go build failed: no space left on device');
  });
});

describe('parseK6Version', () => {
  it.each([
    ['k6 v2.2.0 (go1.26.8, linux/amd64)', '2.2.0'],
    ['k6-v2.2.0 v2.2.0 (commit/devel, go1.26.8, linux/amd64)', '2.2.0'],
    ['k6.exe v2.2.0 (go1.26.8, windows/amd64)', '2.2.0'],
    ['nats-server: v2.11.17', undefined],
    ['', undefined],
  ])('reads %j', (text, version) => {
    expect(parseK6Version(text)).toBe(version);
  });
});
