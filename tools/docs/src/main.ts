/** `npm run docs`: see README.md. */
import { dirname, join } from 'node:path';
import { ensureRunning } from '@onepool/tools-runtime';
import { Command } from 'commander';
import { type BlockKind, commandBlocks } from './command-blocks.ts';
import { pagesToRun, runScript, scriptOf } from './run-blocks.ts';

const root = join(import.meta.dirname, '../../..');
const PAGE_TIMEOUT_MS: Readonly<Record<BlockKind, number>> = { run: 180_000, verify: 900_000, example: 0 };

/** Answers the names of the pages that failed. */
async function runPages(kind: BlockKind, only: readonly string[]): Promise<readonly string[]> {
  const pages = [...pagesToRun(commandBlocks(root), kind)].filter(([page]) => only.length === 0 || only.includes(page));
  if (pages.length === 0) throw new Error(`No page has a block tagged \`sh ${kind}\`.`);
  const system = await ensureRunning({ onLine: (line) => console.log(line) });
  const place = { url: system.availabilityUrls[0] ?? '', home: dirname(system.apiKeyFile) };
  const failed: string[] = [];
  try {
    for (const [page, blocks] of pages) {
      const began = performance.now();
      const setting = { cwd: root, timeoutMs: PAGE_TIMEOUT_MS[kind], output: 'inherit' } as const;
      const code = await runScript(scriptOf(blocks, place), setting);
      const seconds = Math.round((performance.now() - began) / 1_000);
      console.log(code === 0 ? `-- ${page}: ran in ${seconds} s` : `-- ${page}: FAILED (exit ${code})`);
      if (code !== 0) failed.push(page);
    }
  } finally {
    await system.stop();
  }
  return failed;
}

const program = new Command('docs').description('Runs the commands that the pages of documentation show.');
let work: Promise<readonly string[]> | undefined;

for (const kind of ['run', 'verify'] as const) {
  program
    .command(kind)
    .description(
      `Run the blocks tagged \`sh ${kind}\` against the running system, which is started when it does not run.`,
    )
    .argument('[pages...]', 'only these pages, as docs/feeds.md')
    .action((only: readonly string[]) => void (work = runPages(kind, only)));
}
program
  .command('list')
  .description('List every block of commands.')
  .action(() => {
    for (const { page, line, info } of commandBlocks(root)) console.log(`${page}:${line}  ${info.join(' ')}`);
  });

program.parse();
try {
  const failed = await (work ?? Promise.resolve([]));
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
