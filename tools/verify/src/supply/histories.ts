/** Runs the specs that play histories on engines and a database, step by step and at once, and hears how far they have come. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withoutServers } from '@onepool/testing-servers';

export const HISTORIES_SPEC = 'apps/availability/src/engine-specs/histories';

export interface HistoriesRun {
  /** The tree whose sources are tried. */
  readonly root: string;
  readonly histories: number;
  readonly seed: number;
  readonly onPlayed?: (played: number) => void;
}

export interface HistoriesResult {
  readonly passed: boolean;
  readonly played: number;
  /** How often each step was played, by its name and what became of it. */
  readonly tally: readonly (readonly [string, number])[];
  /** What else the specs said. */
  readonly output: string;
}

const PLAYED = /^histories played: (\d+)$/;
const TALLY = /^histories tally: (.*)$/;

export async function playHistories({ root, histories, seed, onPlayed }: HistoriesRun): Promise<HistoriesResult> {
  const variables = { ONEPOOL_SQL_HISTORIES: String(histories), ONEPOOL_SEED: String(seed), ONEPOOL_SQL_PROGRESS: '1' };
  let played = 0;
  let tally: HistoriesResult['tally'] = [];
  const { code, output } = await runSpecs(root, HISTORIES_SPEC, variables, (line) => {
    const count = PLAYED.exec(line)?.[1];
    if (count !== undefined) onPlayed?.((played = Number(count)));
    const told = TALLY.exec(line)?.[1];
    if (told !== undefined) tally = [...tally, ...(JSON.parse(told) as HistoriesResult['tally'])];
  });
  const said = output.split('\n').filter((line) => !PLAYED.test(line) && !TALLY.test(line));
  return { passed: code === 0, played, tally, output: said.join('\n') };
}

export async function runSpecs(
  root: string,
  pattern: string,
  variables: Readonly<Record<string, string>> = {},
  onLine: (line: string) => void = () => undefined,
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn('npm', ['test', '--', pattern], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutServers(process.env), ...variables, FORCE_COLOR: '0' },
  });
  let output = '';
  let rest = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, output };
}
