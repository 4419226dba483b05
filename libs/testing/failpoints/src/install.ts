/**
 * Loaded before a program, as by `node --import`, it does to the program what ONEPOOL_FAILPOINTS says. SIGUSR2 lets go on
 * what is held. Whether the program may be treated so it decides itself, by `strayFailpoints`.
 */
import { FAILPOINTS_VARIABLE, installFailpoints } from '@onepool/platform-failpoints';
import { PlanError, parsePlan } from './plan.ts';
import { PlannedFailpoints } from './planned-failpoints.ts';

try {
  const plan = parsePlan(process.env[FAILPOINTS_VARIABLE] ?? '');
  const failpoints = new PlannedFailpoints(plan, process.env['ONEPOOL_FAILPOINTS_KILLED']);
  installFailpoints(failpoints);
  process.on('SIGUSR2', () => failpoints.releaseAll());
} catch (error) {
  if (!(error instanceof PlanError)) throw error;
  process.stderr.write(`${FAILPOINTS_VARIABLE}: ${error.message}\n`);
  process.exit(1);
}
