import type { Outage } from '@onepool/simulator-domain';

const NONE = 'outages: none; no call failed, and none that was under way waited for a second';

/** The outages as a person reads them, by the machine's clock. */
export const outageLines = (outages: readonly Outage[]): string[] =>
  outages.length === 0 ? [NONE] : outages.map(outageLine);

const outageLine = ({ fromMs, untilMs, failedAttempts }: Outage): string => {
  const at = new Date(performance.timeOrigin + fromMs).toISOString().slice(11, 19);
  const long = untilMs === undefined ? 'to the end' : `for ${((untilMs - fromMs) / 1_000).toFixed(1)} s`;
  const what =
    failedAttempts === 0
      ? 'no call was answered; those under way waited'
      : `calls failed: ${failedAttempts} attempts, each repeated with the same id`;
  return `outage from ${at} UTC ${long}: ${what}`;
};
