/**
 * `npm run bench`: builds what is stale and measures the built code. What compiles sources while they load keeps the
 * names of functions at run time, which no deployment does and which costs a hot path a tenth of its speed.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseCompareOptions, parseOptions } from './options.ts';

const root = join(import.meta.dirname, '../../..');
const PROJECTS = '@onepool/availability,@onepool/tools-bench';
const args = process.argv.slice(2);

// Mistakes in the command line are told at once.
if (parseCompareOptions(args, process.env, root) === undefined) parseOptions(args, process.env, root);
console.log('Building what is stale.');
await promisify(execFile)(join(root, 'node_modules/.bin/nx'), ['run-many', '-t', 'build', '-p', PROJECTS], {
  cwd: root,
  env: { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: '0' },
});
const child = spawn(process.execPath, [join(root, 'tools/bench/dist/main.js'), ...args], {
  cwd: root,
  stdio: 'inherit',
});
// Ctrl-C reaches both; other signals are passed on, so that the child can stop its servers.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
const [code] = (await once(child, 'exit')) as [number | null];
process.exit(code ?? 3);
