/** Whole apps as processes, for the specs of others: started from their sources, killed, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createApiKey } from '@onepool/platform-auth';
import { FAILPOINTS_VARIABLE, FOR_TESTS } from '@onepool/platform-failpoints';

export interface TestAppOptions {
  /** Its folder below `apps/`. */
  readonly app: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Further variables of its environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** How it is broken: a plan of the library testing-failpoints, as `app.receive.after_commit=kill@1`. */
  readonly failpoints?: string;
  /** The workspace that the app is in; this one unless given. */
  readonly root?: string;
}

const WORKSPACE = join(import.meta.dirname, '../../../..');
const LAST_LINES = 30;
const READY = 'ready to serve';

export class TestApp {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Every line that it wrote. */
  readonly lines: readonly string[];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess, url: string, lines: readonly string[], exited: Promise<unknown>) {
    this.#child = child;
    this.url = url;
    this.lines = lines;
    this.#exited = exited;
  }

  /** Resolves when it serves. @throws Error with its last lines when it ends before. */
  static async start({
    app,
    databaseUrl,
    natsUrl,
    variables,
    failpoints,
    root = WORKSPACE,
  }: TestAppOptions): Promise<TestApp> {
    const child = run(root, `apps/${app}/src/main.ts`, failpoints === undefined ? [] : [FOR_TESTS], {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      NATS_URL: natsUrl,
      ONEPOOL_INSTANCE: `${app}-spec`,
      ...(failpoints !== undefined && { [FAILPOINTS_VARIABLE]: failpoints }),
      ...variables,
    });
    const lines: string[] = [];
    const exited = once(child, 'exit');
    const url = await new Promise<string>((resolve, reject) => {
      const read = (line: string): void => {
        lines.push(line);
        const told = line.includes(READY) ? (JSON.parse(line) as { msg: string; port: number }) : undefined;
        if (told?.msg === READY) resolve(`http://127.0.0.1:${told.port}`);
      };
      for (const stream of [child.stdout, child.stderr])
        if (stream) createInterface({ input: stream }).on('line', read);
      void exited.then(() =>
        reject(new Error(`${app} ended before it was ready:\n${lines.slice(-LAST_LINES).join('\n')}`)),
      );
    });
    return new TestApp(child, url, lines, exited);
  }

  /** Resolves when it has ended by itself, as by a failpoint. */
  async ended(): Promise<void> {
    await this.#exited;
  }

  /** SIGTERM lets what was taken finish; SIGKILL does not. Resolves when it has ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }
}

export interface Addresses {
  readonly url: string;
  readonly ownerUrl: string;
}

/** Brings the schemas of apps up to date. */
export async function migrateApps(apps: readonly string[], at: Addresses, root = WORKSPACE): Promise<void> {
  for (const app of apps) await toItsEnd(root, `apps/${app}/src/migrate.ts`, [], at);
}

/** A key of a service that is made where it does not exist; the database has the availability app's schemas. */
export async function makeApiKey(
  at: Addresses,
  { service, scopes }: { readonly service: string; readonly scopes: readonly string[] },
  root = WORKSPACE,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'onepool-key-'));
  const file = join(folder, 'key');
  try {
    const { key } = createApiKey();
    writeFileSync(file, key, { mode: 0o600 });
    const args = ['keys', 'add', service, '--scopes', scopes.join(','), '--key-file', file];
    await toItsEnd(root, 'apps/availability/src/identity.ts', args, at);
    return key;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function toItsEnd(
  root: string,
  program: string,
  args: readonly string[],
  { url, ownerUrl }: Addresses,
): Promise<void> {
  const child = run(root, program, args, { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', (line) => said.push(line));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${said.slice(-LAST_LINES).join('\n')}`);
}

/** Nothing of the environment reaches it but where programs are, and what Node has compiled of them. */
function run(
  root: string,
  program: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): ChildProcess {
  const load = (path: string): string => `--import=${join(root, path)}`;
  const loaded = ['libs/testing/apps/src/from-source.ts'];
  if (args.includes(FOR_TESTS)) loaded.push('libs/testing/failpoints/src/install.ts');
  const options = ['--conditions=@onepool/source', '--no-warnings', ...loaded.map(load)];
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  return spawn(process.execPath, [...options, join(root, program), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, NODE_COMPILE_CACHE, ...variables },
  });
}
