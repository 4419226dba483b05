/**
 * `npm run bench`: builds what is stale and measures the built code. What compiles sources while they load keeps the
 * names of functions at run time, which no deployment does and which costs a hot path a tenth of its speed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseCompareOptions, parseOptions } from './options.ts';
import { buildStale } from './setting/build.ts';

const root = join(import.meta.dirname, '../../..');
const args = process.argv.slice(2);

// Mistakes in the command line are told at once.
if (parseCompareOptions(args, process.env, root) === undefined) parseOptions(args, process.env, root);
console.log('Building what is stale.');
await buildStale('@onepool/availability', '@onepool/tools-bench');
const child = spawn(process.execPath, [join(root, 'tools/bench/dist/main.js'), ...args], {
  cwd: root,
  stdio: 'inherit',
});
// Ctrl-C reaches both; other signals are passed on, so that the child can stop its servers.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
const [code] = (await once(child, 'exit')) as [number | null];
process.exit(code ?? 3);
