import { setTimeout as delay } from 'node:timers/promises';

const CLEAN_STOP_MS = 10_000;
const POLL_MS = 25;

/**
 * Ends a process and everything it started in its group: SIGTERM, and SIGKILL for what still runs ten seconds later.
 * `pid` must lead its group, as every process we start does.
 */
export async function endGroup(pid: number): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  // A suspended process receives nothing until it is continued.
  signalGroup(pid, 'SIGCONT');
  const deadline = Date.now() + CLEAN_STOP_MS;
  while (groupExists(pid) && Date.now() < deadline) await delay(POLL_MS);
  signalGroup(pid, 'SIGKILL');
}

function groupExists(pid: number): boolean {
  return signalGroup(pid, 0);
}

/** False when nobody is left to receive it. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  if (!Number.isInteger(pid) || pid <= 1) throw new RangeError(`no group of ours has the number ${pid}`);
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
