/** CPU time of processes from /proc; null where there is none (another system, a server elsewhere). */
import { readFileSync, readdirSync } from 'node:fs';

/** Linux fixes what it shows in /proc at 100 ticks a second. */
const MICROSECONDS_PER_TICK = 10_000;

interface ProcessTimes {
  readonly parent: number;
  readonly own: number;
  /** Of children that ended and were waited for. */
  readonly ended: number;
}

function timesOf(pid: number): ProcessTimes | null {
  try {
    // The name may hold spaces and brackets; what follows its last bracket is plain.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ').map(Number) ?? [];
    const ticks = (...indexes: number[]): number =>
      indexes.reduce((sum, index) => sum + (fields[index] ?? 0), 0) * MICROSECONDS_PER_TICK;
    return { parent: fields[1] ?? 0, own: ticks(11, 12), ended: ticks(13, 14) };
  } catch {
    return null;
  }
}

/** Microseconds that a process used. */
export function cpuOf(pid: number): number | null {
  return timesOf(pid)?.own ?? null;
}

/** Microseconds that a process and its children used, those that have ended included. */
export function cpuOfFamily(pid: number | null): number | null {
  const head = pid === null ? null : timesOf(pid);
  if (head === null) return null;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
    .filter((times) => times?.parent === pid);
  return children.reduce((sum, child) => sum + (child?.own ?? 0) + (child?.ended ?? 0), head.own + head.ended);
}

/** Per request, in microseconds; null when either reading is missing. */
export function perRequest(before: number | null, after: number | null, requests: number): number | null {
  return before === null || after === null ? null : (after - before) / requests;
}
