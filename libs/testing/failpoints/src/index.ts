export {
  COMMITS,
  PLANTED_BUGS,
  commitNames,
  plantedBugs,
  type CommitName,
  type PlantedBug,
} from './known-failpoints.ts';
export { PlanError, parsePlan } from './plan.ts';
export { FailpointError, type PlannedFailpoints } from './planned-failpoints.ts';
export { plantFailpoints } from './plant-failpoints.ts';
