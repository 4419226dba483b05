/** Migrates an empty database by each app's own program, on a server that is thrown away, and describes what came of it. */
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, startPostgres } from '@onepool/platform-local-servers';
import { describeSchemas, withClient } from '@onepool/platform-postgres';

const run = promisify(execFile);

/** The text of `apps/<app>/schema.sql`, of each app that migrates. */
export async function describeApps(root: string): Promise<readonly { readonly file: string; readonly sql: string }[]> {
  const apps = globSync('apps/*/src/migrate.ts', { cwd: root }).map((program) => dirname(dirname(program)));
  const projects = apps.map((app) => `@onepool/${basename(app)}`).join();
  const variables = { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: '0' };
  await run(join(root, 'node_modules/.bin/nx'), ['run-many', '-t', 'build', '-p', projects], {
    cwd: root,
    env: variables,
  });
  const home = mkdtempSync(join(tmpdir(), 'onepool-schema-'));
  const server = await startPostgres({ home, port: await freePort(), settings: { fsync: 'off' } });
  try {
    const described = [];
    for (const app of apps) described.push({ file: `${app}/schema.sql`, sql: await describeApp(root, app, server) });
    return described;
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function describeApp(
  root: string,
  app: string,
  server: { readonly url: string; readonly ownerUrl: string },
): Promise<string> {
  const name = `describe_${basename(app)}`;
  await withClient(server.ownerUrl, (client) => client.query(`CREATE DATABASE ${name}`), 60_000);
  const at = (url: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const variables = { ...process.env, DATABASE_URL: at(server.url), DATABASE_OWNER_URL: at(server.ownerUrl) };
  await run(process.execPath, [join(root, app, 'dist/migrate.js')], { env: variables });
  return describeSchemas(at(server.ownerUrl));
}
