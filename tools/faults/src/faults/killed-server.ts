import { connect } from 'node:net';
import type { Measures, Stage } from '../fault.ts';
import { RECOVERY_MS_MAX, tooSlow } from '../fault.ts';
import { until } from '../until.ts';

export interface KilledServer {
  /** Its name under supervision. */
  readonly name: string;
  /** Answers true once the process that took its place serves. */
  readonly isBack: (stage: Stage) => Promise<boolean>;
  /** The replica through which a grant counts; any, when absent. */
  readonly through?: string;
}

/** Kills a process of the system and measures how long after its return the first grant is given. */
export async function killAndMeasure(stage: Stage, { name, isBack, through }: KilledServer): Promise<Measures> {
  const { system, prober, say } = stage;
  const killedMs = performance.now();
  const pid = system.killNow(name);
  say(`${name} (process ${pid}) is killed`);
  await until(`a new process of ${name}`, () => {
    const now = system.pids().get(name);
    return (now !== undefined && now !== pid) || undefined;
  });
  await until(`${name} to serve again`, async () => (await isBack(stage)) || undefined);
  const backMs = performance.now();
  const grantMs = await prober.firstGrant(backMs, through);
  const recoveryMs = grantMs - backMs;
  say(`${name} is back after ${Math.round(backMs - killedMs)} ms, a grant follows ${Math.round(recoveryMs)} ms later`);
  return {
    recoveryMs,
    outageMs: grantMs - killedMs,
    violations: tooSlow('first 201 after the return', recoveryMs, RECOVERY_MS_MAX),
  };
}

/** True when something accepts on the port of `url` and, with `greets`, says something by itself. */
export function accepts(url: string, greets: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on(greets ? 'data' : 'connect', () => finish(true));
  });
}
