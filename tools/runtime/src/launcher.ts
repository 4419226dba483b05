import { setTimeout as delay } from 'node:timers/promises';
import { identify } from './runtime-record.ts';
import type { ProcessIdentity } from './runtime-record.ts';

const POLL_MS = 200;

/**
 * The process that started us on somebody's behalf: npm, or a tool. Undefined when we were started by hand, where the
 * shell may go and we stay, as with `nohup`.
 */
export function findLauncher(): ProcessIdentity | undefined {
  return process.env['npm_lifecycle_event'] === undefined ? undefined : identify(process.ppid);
}

/**
 * Resolves when the launcher is gone. npm passes signals on, but who kills npm itself means us too, and would otherwise
 * leave a system running that nobody sees.
 */
export async function untilLauncherGone(launcher: ProcessIdentity | undefined): Promise<void> {
  if (launcher === undefined) return new Promise(() => undefined);
  // A process whose parent ends gets another one.
  while (process.ppid === launcher.pid) await delay(POLL_MS);
}
