/** `npm run onepool -- <command>`: see README.md. */
import { join } from 'node:path';
import { runProgram } from '@onepool/platform-config';
import { homeOf } from '@onepool/tools-runtime';
import { makeProgram } from './program.ts';

const home = homeOf(process.env, join(import.meta.dirname, '../../..'));
const print = (text: string): void => void process.stdout.write(`${text}\n`);
await runProgram(async () => {
  await makeProgram({ home, print }).parseAsync();
});
