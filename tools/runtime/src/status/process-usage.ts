import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { isRunning } from '../runtime-record.ts';
import type { ProcessIdentity } from '../runtime-record.ts';

export interface ProcessUsage {
  readonly upSeconds?: number;
  readonly memoryMb?: number;
}

/** Linux counts the start of a process in hundredths of a second since boot. */
const TICKS_PER_SECOND = 100;

/**
 * What the operating system knows of a process; undefined when exactly this one does not run any more. A server's memory
 * is that of its children too, in which PostgreSQL does its work; the runtime's children are counted for themselves.
 */
export function usageOf(identity: ProcessIdentity & { readonly kind?: string }): ProcessUsage | undefined {
  if (!isRunning(identity)) return undefined;
  if (process.platform !== 'linux') return {};
  const ticks = Number(identity.startedAt);
  const pids = [identity.pid, ...(identity.kind === 'server' ? childrenOf(identity.pid) : [])];
  const kilobytes = pids.reduce((sum, pid) => sum + memoryKilobytes(pid), 0);
  return {
    upSeconds: Math.max(0, Math.round(uptime() - ticks / TICKS_PER_SECOND)),
    memoryMb: Math.round(kilobytes / 1024),
  };
}

function childrenOf(pid: number): readonly number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** Memory that is shared counts in parts, so that a sum over processes is the truth; what is not told, whole. */
function memoryKilobytes(pid: number): number {
  const share = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(share ?? /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
