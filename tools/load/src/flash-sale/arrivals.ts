/** How buyers arrive: a steep rise, a crowd, then a long tail. */

export interface Stage {
  /** Arrivals per second at the end of the stage; the rate moves to it linearly. */
  readonly target: number;
  readonly duration: string;
}

/** Share of the duration that a stage takes, and the share of the peak rate that it ends with. */
const SHAPE = [
  { time: 0.1, rate: 1 },
  { time: 0.3, rate: 1 },
  { time: 0.1, rate: 0.5 },
  { time: 0.3, rate: 0.5 },
  { time: 0.2, rate: 0.25 },
] as const;
/** Arrivals beyond those needed, so that all buyers come although a busy generator drops some; the rest ask for nothing. */
const SPARE_SHARE = 0.1;

/** Stages of a ramping arrival rate that starts at 0 and lets at least so many buyers arrive in so many seconds. */
export function arrivalStages(buyers: number, durationSeconds: number): Stage[] {
  let before = 0;
  let area = 0;
  for (const { time, rate } of SHAPE) {
    area += (time * (before + rate)) / 2;
    before = rate;
  }
  const peak = (buyers * (1 + SPARE_SHARE)) / (area * durationSeconds);
  return SHAPE.map(({ time, rate }) => ({
    target: Math.ceil(peak * rate),
    duration: `${Math.round(time * durationSeconds * 1_000)}ms`,
  }));
}
