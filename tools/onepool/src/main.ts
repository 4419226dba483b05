/** `npm run onepool -- <command>`: see README.md. */
import { join } from 'node:path';
import { homeOf } from '@onepool/tools-runtime';
import { makeProgram } from './program.ts';

/** Errors whose message is the whole story: what is wrong and what to do. */
const EXPLAINED = ['NatsUserError', 'LocalServerError', 'NatsUnreachableError', 'NatsSettingsError'];

const home = homeOf(process.env, join(import.meta.dirname, '../../..'));
const print = (text: string): void => void process.stdout.write(`${text}\n`);
try {
  await makeProgram({ home, print }).parseAsync();
} catch (error) {
  const known = error instanceof Error && EXPLAINED.includes(error.name);
  process.stderr.write(`${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
}
