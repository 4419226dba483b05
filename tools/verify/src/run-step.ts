/** Runs one step as npm would, its output in a log file, never on servers that the environment names. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { freePortBase } from '@onepool/platform-local-servers';
import { withoutServers } from '@onepool/testing-servers';
import { ensureRunning } from '@onepool/tools-runtime';
import type { RunningSystem } from '@onepool/tools-runtime';
import type { Step } from './parts.ts';

export interface StepSetting {
  readonly root: string;
  /** `ONEPOOL_HOME` of whatever the step starts. */
  readonly home: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

export interface StepResult {
  readonly passed: boolean;
  readonly seconds: number;
  /** Of what it printed. */
  readonly lastLine: string;
  readonly logFile: string;
}

export async function runStep(step: Step, setting: StepSetting): Promise<StepResult> {
  const begun = performance.now();
  const { logFile } = setting;
  let passed = false;
  let lastLine: string;
  try {
    const variables = { ONEPOOL_HOME: setting.home, ONEPOOL_PORT_BASE: String(await freePortBase()) };
    const system = step.needsSystem ? await startSystem(variables) : undefined;
    try {
      passed = (await runNpm(step.npm, { ...variables, ...step.variables }, setting)) === 0;
    } finally {
      await system?.stop();
    }
    lastLine = readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1)?.trim() ?? '';
  } catch (error) {
    lastLine = error instanceof Error ? error.message : String(error);
  }
  return { passed, seconds: (performance.now() - begun) / 1_000, lastLine, logFile };
}

/** The step fills what it is given, so that is never what DATABASE_URL or NATS_URL name. */
const startSystem = (variables: Readonly<Record<string, string>>): Promise<RunningSystem> =>
  ensureRunning({ environment: withoutServers(process.env), variables, seed: false });

/** The exit code; 1 when a signal ended it. The step is asked to stop when `signal` is aborted, and waited for. */
async function runNpm(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  { root, logFile, signal }: StepSetting,
): Promise<number> {
  mkdirSync(variables['ONEPOOL_HOME'] ?? root, { recursive: true });
  const log = openSync(logFile, 'w');
  try {
    // A process group of its own: Ctrl-C reaches it once, by us.
    const child = spawn('npm', [...args], {
      cwd: root,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...withoutServers(process.env), ...variables, FORCE_COLOR: '0' },
    });
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    };
    signal.addEventListener('abort', stop);
    const [code] = (await once(child, 'close')) as [number | null];
    signal.removeEventListener('abort', stop);
    return code ?? 1;
  } finally {
    closeSync(log);
  }
}
