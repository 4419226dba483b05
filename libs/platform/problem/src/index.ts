export { ProblemError, problemType } from './problem.ts';
export type { Problem, ProblemDefinition, ProblemItem, ProblemOptions } from './problem.ts';
export { defineProblems, isRetryable, platformProblems, problem } from './catalogue.ts';
export type { PlatformProblemCode, ProblemCatalogue } from './catalogue.ts';
export { isOurFault, toProblemError } from './to-problem-error.ts';
export { ProblemFilter, toRpcProblem, type ProblemFilterOptions } from './problem-filter.ts';
export {
  installProblemHandling,
  problemServerOptions,
  type ProblemHandlingOptions,
} from './install-problem-handling.ts';
export { findForbiddenText } from './forbidden-text.ts';
export { parseJsonBody } from './parse-json-body.ts';
export { compileSchema, type Validator } from './validator.ts';
export { compileQuerySchema } from './query-validator.ts';
export { bodyOf } from './validation-pipe.ts';
