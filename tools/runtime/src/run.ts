import { explain } from './explain.ts';
import { lockHome } from './home-lock.ts';
import type { HomeLock } from './home-lock.ts';
import { homePaths, openHome } from './home.ts';
import { findLauncher, untilLauncherGone } from './launcher.ts';
import { Runtime } from './runtime.ts';
import type { RuntimeSetup } from './runtime.ts';

/** What tells us to stop: Ctrl-C, the ordinary request, and the terminal's end. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const INTERRUPTED = 130;
const STAY_ALIVE_MS = 3_600_000;

export type Program = Omit<RuntimeSetup, 'report'>;

/**
 * Runs the system in the foreground until a signal, or the end of npm, ends it, and returns the exit code: 0 after a clean stop, 130 when it
 * was interrupted before it was ready, 1 when it did not come up.
 */
export async function run(program: Program): Promise<number> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const report = (message: string): void => print(`${new Date().toISOString().slice(11, 19)}  ${message}`);
  // Whoever read our output may have gone; that must not end us before what we started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  // The listener stays to the end: a second signal must not cut the stopping short.
  const signalled = new Promise<void>((resolve) => STOP_SIGNALS.forEach((name) => process.on(name, () => resolve())));
  // A fault of ours that nobody caught stops the system in good order instead of leaving its servers to themselves.
  const broken = new Promise<never>((_, reject) => process.on('uncaughtException', reject));
  const launcher = findLauncher();
  const asked = Promise.race([signalled, untilLauncherGone(launcher), broken]);
  // Watching servers that are not our children keeps no process alive by itself.
  const stayAlive = setInterval(() => undefined, STAY_ALIVE_MS);
  let lock: HomeLock | undefined;
  let runtime: Runtime | undefined;
  try {
    const paths = homePaths(program.options.home);
    openHome(paths);
    lock = await lockHome(paths.lock, launcher);
    runtime = await Runtime.prepare({ ...program, report });
    const welcome = await Promise.race([runtime.start(), asked.then(() => undefined)]);
    if (welcome === undefined) return INTERRUPTED;
    print(welcome);
    await asked;
    return 0;
  } catch (error) {
    process.stderr.write(`\n${explain(error, program.options.home)}\n`);
    return 1;
  } finally {
    if (runtime) {
      lock?.announceStop();
      print('Stopping.');
      await runtime.stop();
      print('Stopped; the data is kept.');
    }
    lock?.release();
    clearInterval(stayAlive);
  }
}
