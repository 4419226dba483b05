import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, freePortBase } from '@onepool/platform-local-servers';
import { createTestDatabase, startTestNats } from '@onepool/testing-servers';
import type { TestDatabase, TestNats } from '@onepool/testing-servers';
import { readRecord } from './runtime-record.ts';

jest.setTimeout(300_000);

const fixture = join(import.meta.dirname, 'runtime.fixture.ts');
const isRoot = process.getuid?.() === 0;
/** Root without the rights that make it more than an ordinary user at files and ports. */
const ORDINARY = isRoot
  ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search,-net_bind_service', '--inh-caps', '-all']
  : [];
const canBeOrdinary = !isRoot || spawnSync('setpriv', ['--version']).status === 0;
const portsAreKept = Number(read('/proc/sys/net/ipv4/ip_unprivileged_port_start') || '0') > 91;
const NOBODY = 65_534;

let place: string;
let home: string;
let database: TestDatabase;
let nats: TestNats;

async function start(variables: Record<string, string>, as: readonly string[] = []): Promise<string> {
  const [program = '', ...args] = [...as, process.execPath, '--conditions=@onepool/source', fixture];
  const env = {
    ...process.env,
    ONEPOOL_HOME: home,
    ONEPOOL_PORT_BASE: String(await freePortBase()),
    FIXTURE_ROOT: place,
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    ...variables,
  };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return `exit ${code}\n${output}`;
}

beforeAll(async () => {
  place = mkdtempSync(join(process.env['ONEPOOL_TEST_HOME']!, 'refused-'));
  [database, nats] = await Promise.all([createTestDatabase(), startTestNats()]);
});
afterAll(async () => {
  rmSync(place, { recursive: true, force: true });
  await Promise.all([database.drop(), nats.stop()]);
});

interface Case {
  readonly what: string;
  /** Makes what stands in the way; returns the variables that lead there. */
  readonly arrange: () => Record<string, string> | Promise<Record<string, string>>;
  readonly ordinary?: true;
  readonly needs?: boolean;
  /** What is wrong, and what to do. */
  readonly told: readonly RegExp[];
}

const address = (change: (url: URL) => void): string => {
  const url = new URL(database.url);
  change(url);
  return url.href;
};

const CASES: readonly Case[] = [
  {
    what: 'a wrong database password',
    arrange: () => ({ DATABASE_URL: address((url) => (url.password = 'hunter2')) }),
    told: [/127\.0\.0\.1:\d+ refuses the role \w+ .*password authentication failed/, /DATABASE_URL/],
  },
  {
    what: 'a database that is not there',
    arrange: () => ({ DATABASE_URL: address((url) => (url.pathname = '/nowhere')) }),
    told: [/has no database nowhere/, /create it/],
  },
  {
    what: 'a PostgreSQL that is not there',
    arrange: async () => ({ DATABASE_URL: `postgres://shop:hunter2@127.0.0.1:${await freePort()}/pool` }),
    told: [/PostgreSQL at 127\.0\.0\.1:\d+ does not answer .*ECONNREFUSED/, /DATABASE_URL/],
  },
  {
    what: 'a host of PostgreSQL that is not there',
    arrange: () => ({ DATABASE_URL: 'postgres://shop:hunter2@nowhere.invalid/pool' }),
    told: [/PostgreSQL at nowhere\.invalid:5432 does not answer/, /DATABASE_URL/],
  },
  {
    what: 'a NATS that is not there',
    arrange: async () => ({ NATS_URL: `nats://shop:hunter2@127.0.0.1:${await freePort()}` }),
    told: [/Nothing listens at 127\.0\.0\.1:\d+/, /NATS_URL/],
  },
  {
    what: 'a host of NATS that is not there',
    arrange: () => ({ NATS_URL: 'nats://nowhere.invalid:4222' }),
    told: [/no host .*nowhere\.invalid/, /NATS_URL/],
  },
  {
    what: 'a home below a file',
    arrange: () => {
      writeFileSync(join(place, 'file'), '');
      return { ONEPOOL_HOME: join(place, 'file', 'home') };
    },
    told: [/file where a directory is needed/, /ONEPOOL_HOME/],
  },
  {
    what: 'a home that this user may not make',
    ordinary: true,
    arrange: () => ({ ONEPOOL_HOME: join(foreign('closed'), 'home') }),
    told: [/may not write .*closed/, /ONEPOOL_HOME/],
  },
  {
    what: 'a home of somebody else',
    ordinary: true,
    arrange: () => ({ ONEPOOL_HOME: foreign('theirs') }),
    told: [/may not write .*theirs/, /ONEPOOL_HOME/],
  },
  {
    what: 'ports that are kept from ordinary users',
    ordinary: true,
    needs: portsAreKept,
    arrange: () => ({ ONEPOOL_PORT_BASE: '80' }),
    told: [/Port 81, which availability-1 needs, is kept from this user/, /1024 or more/],
  },
  {
    what: 'sources that cannot be built',
    arrange: () => ({ FIXTURE_BUILD_FAILS: '1' }),
    told: [/build failed \(exit 2\); all it said is in .*build\.log/, /src\/main\.ts:7 error: missing bracket/],
  },
];

/** A directory in which only somebody else may write. */
function foreign(name: string): string {
  const path = join(place, name);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  if (isRoot) chownSync(path, NOBODY, NOBODY);
  else spawnSync('chmod', ['555', path]);
  return path;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

describe('npm start refuses in a sentence that says what is wrong and what to do', () => {
  for (const { what, arrange, ordinary, needs = true, told } of CASES) {
    const canRun = needs && (!ordinary || canBeOrdinary);
    (canRun ? it : it.skip)(canRun ? what : `${what} (needs setpriv, or not to be root)`, async () => {
      home = join(place, `home-${what.replaceAll(' ', '-')}`);
      const variables = await arrange();
      const output = await start(variables, ordinary ? ORDINARY : []);
      expect(output).toMatch(/^exit 1\n/);
      for (const part of told) expect(output).toMatch(part);
      expect(output).not.toContain('hunter2');
      // No stack: that is for faults of ours.
      expect(output).not.toMatch(/^ +at /m);
      expect(readRecord(join(variables['ONEPOOL_HOME'] ?? home, 'runtime.json'))?.processes ?? {}).toEqual({});
    });
  }
});
