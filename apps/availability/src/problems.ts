/** The app's problem codes, and the one table from what the engine answers to what the edge says. */
import { AVAILABILITY_PROBLEMS, type ProblemInAnswer } from '@onepool/contracts';
import { type ProblemError, defineProblems } from '@onepool/platform-problem';
import type { Concern, Limits } from '@onepool/platform-rights';
import { type Answer, EngineError, type Refusal, beyond } from '@onepool/stock-data-access';

export const problems = defineProblems(AVAILABILITY_PROBLEMS);

/** What the engine answers; a refusal is thrown as a problem. */
export function valueOf<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw problemOfRefusal(answer.rejection);
}

/** What became of a part of a request, as the answer to the whole shows it. */
export const valueOrProblem = <T>(answer: Answer<T>): T | { readonly problem: ProblemInAnswer } =>
  answer.ok ? answer.value : { problem: { ...problemOfRefusal(answer.rejection).toProblem() } };

/** @throws ProblemError `node.forbidden` or `channel.forbidden`, which names the first that is */
export function demandWithinLimits(limits: Limits, concern: Concern): void {
  const forbidden = beyond(limits, concern);
  if (forbidden) throw problemOfRefusal(forbidden);
}

export function refusal(code: string, details: Refusal['details'] = {}, detail?: string): ProblemError {
  if (!problems.has(code)) throw new Error(`Broken invariant: ${code} is no problem code`);
  return problems.problem(code, { extensions: details, ...(detail === undefined ? {} : { detail }) });
}

const problemOfRefusal = ({ code, details, detail }: Refusal): ProblemError => refusal(code, details, detail);

/** A number that no column holds: the batch is split until only the command that asks for it fails. */
const NUMERIC_VALUE_OUT_OF_RANGE = '22003';

/** Operational errors of what lies below the edge. */
export function problemOf(error: unknown): ProblemError | undefined {
  if (error instanceof EngineError) return problems.problem(error.code, { retryAfterSeconds: 1, cause: error });
  if (isNotGzip(error)) return problems.problem('feed.not_gzip', { cause: error });
  return isOutOfRange(error) ? problems.problem('movement.out_of_range', { cause: error }) : undefined;
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

const isNotGzip = (error: unknown): boolean => /^Z_[A-Z]+_ERROR$/.test(codeOf(error));
const isOutOfRange = (error: unknown): boolean => codeOf(error) === NUMERIC_VALUE_OUT_OF_RANGE;
