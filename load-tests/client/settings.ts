/** Where a scenario sends its calls: written by `npm run load` into the run's folder, which `RUN` names. */

export interface Target {
  /** Addresses of the replicas, this machine's only. */
  readonly urls: readonly string[];
  readonly key: string;
  /** A call whose attempt is not answered within this time is sent again with the same id. */
  readonly attemptTimeoutMs: number;
  /** Attempts of one call, the first included. */
  readonly attempts: number;
}

const LOOPBACK = /^http:\/\/(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d{1,5})?$/;

/** Reads one file of the run's folder. Only k6's init context may open files. */
export function readRunFile(name: string): unknown {
  const folder = __ENV['RUN'];
  if (!folder) throw new Error('Start the scenario with `npm run load`: it prepares what the scenario reads.');
  return JSON.parse(open(`${folder}/${name}`));
}

/** The target, which has to be this machine: a load test against a system that others use is an attack. */
export function readTarget(): Target {
  const target = readRunFile('target.json') as Target;
  const foreign = target.urls.find((url) => !LOOPBACK.test(url));
  if (foreign !== undefined)
    throw new Error(`${foreign} is not on this machine: load goes to loopback addresses only.`);
  return target;
}
