/** `npm run new-app -- NAME`: makes an app that serves an operation, saves, tells and consumes facts, and runs a task. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { runProgram } from '@onepool/platform-config';
import { Command } from 'commander';
import { addApp } from './new-app.ts';

const root = join(import.meta.dirname, '../../..');

await runProgram(async () => {
  const program = new Command('new-app')
    .description('Makes an app below apps/, with its contract, out of the template of tools/new-app.')
    .argument('<name>', 'letters from a to z; also its module, its schema and its stream')
    .action((name: string) => {
      const files = addApp(root, name);
      execFileSync(
        join(root, 'node_modules/.bin/prettier'),
        ['--write', ...files.filter((file) => !file.endsWith('.sql'))],
        {
          cwd: root,
        },
      );
      process.stdout.write(`${files.map((file) => `  ${file}`).join('\n')}\n\n`);
      process.stdout.write(
        'Next: `npm install`, so that the workspace knows it; `npm run onepool -- schema write`, which shows its\n',
      );
      process.stdout.write('schema; `npm start`, which runs it.\n');
    });
  await program.parseAsync();
});
