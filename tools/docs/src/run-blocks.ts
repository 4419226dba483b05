/** Runs the blocks of pages as a reader would: those of one page in one shell, one after the other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BLOCK_KINDS, type BlockKind, type CommandBlock } from './command-blocks.ts';

/** Where the running system is; pages name the defaults. */
export interface Place {
  readonly url: string;
  readonly home: string;
}

const DEFAULT_URL = 'http://127.0.0.1:3001';
const DEFAULT_HOME = /(?<![\w./-])\.onepool\//g;

/**
 * Pages that hold a block of this kind, each with the blocks to run: these, and those of the kinds before them, which
 * set what they need.
 */
export function pagesToRun(blocks: readonly CommandBlock[], kind: BlockKind): ReadonlyMap<string, CommandBlock[]> {
  const wanted = BLOCK_KINDS.slice(0, BLOCK_KINDS.indexOf(kind) + 1);
  const pages = new Map<string, CommandBlock[]>();
  for (const block of blocks.filter((one) => wanted.includes(one.kind))) {
    pages.set(block.page, [...(pages.get(block.page) ?? []), block]);
  }
  return new Map([...pages].filter(([, ofPage]) => ofPage.some((block) => block.kind === kind)));
}

/**
 * One script of a page's blocks. Any command that fails ends it, an answer of 400 or more among them; only a `refused`
 * block has to end so, in a shell of its own.
 */
export function scriptOf(blocks: readonly CommandBlock[], place: Place): string {
  const steps = blocks.map(({ page, line, text, isRefused }) => {
    const commands = text.replaceAll(DEFAULT_URL, place.url).replaceAll(DEFAULT_HOME, `${place.home}/`);
    const body = isRefused ? `if (\n${commands}\n); then echo 'It was not refused.' >&2; exit 1; fi` : commands;
    return `echo '-- ${page}:${line}'\n${body}`;
  });
  return ['set -e -o pipefail', 'curl() { command curl --fail-with-body "$@"; }', ...steps, 'wait', ''].join('\n');
}

export interface ScriptSetting {
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Where what the commands print goes. */
  readonly output: 'inherit' | 'ignore';
}

/** Runs a script and answers its exit code; 124 when it took too long. */
export async function runScript(script: string, { cwd, timeoutMs, output }: ScriptSetting): Promise<number> {
  const child = spawn('bash', ['-c', script], { cwd, stdio: ['ignore', output, output], detached: true });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeoutMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return isLate ? 124 : (code ?? 1);
  } finally {
    clearTimeout(timer);
  }
}
