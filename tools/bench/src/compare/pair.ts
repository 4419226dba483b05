/** What both sides took, paired by round. */
import { ratios, spreadOf } from '../measuring/statistics.ts';
import type { TurnFigures, Workload } from './protocol.ts';

export const SIDES = ['before', 'after'] as const;
export type SideName = (typeof SIDES)[number];
export type Taken = Readonly<Record<SideName, TurnFigures[]>>;

/** The figures of a turn that are compared; more of them is worse. */
export const COSTS = {
  'app CPU µs': ({ appMicroseconds }: TurnFigures) => appMicroseconds,
  'PostgreSQL CPU µs': ({ postgresMicroseconds }: TurnFigures) => postgresMicroseconds,
  'both CPU µs': ({ appMicroseconds, postgresMicroseconds }: TurnFigures) => appMicroseconds + postgresMicroseconds,
  'wall µs': ({ perSecond }: TurnFigures) => 1e6 / perSecond,
} as const;

export interface Compared {
  readonly workload: Workload;
  readonly cost: keyof typeof COSTS;
  readonly before: number;
  readonly after: number;
  /** After over before in each round: above 1 is worse. */
  readonly ratios: readonly number[];
}

/** Every cost of every workload, paired by round. */
export function pair(workload: Workload, { before, after }: Taken): readonly Compared[] {
  return Object.entries(COSTS).map(([cost, of]) => {
    const [then, now] = [before.map(of), after.map(of)];
    return {
      workload,
      cost: cost as keyof typeof COSTS,
      before: spreadOf(then).median,
      after: spreadOf(now).median,
      ratios: ratios(now, then),
    };
  });
}
