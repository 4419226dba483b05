/** What becomes of a call. Whatever the app answers is returned; that it does not answer is thrown. */
import type { Problem } from '@onepool/platform-problem';
import type { AnswerOf, CodeOf, ProblemOf } from './operation-types.ts';
import type { Operation } from '@onepool/contracts';

export interface Answered<Value> {
  readonly ok: true;
  readonly status: number;
  readonly value: Value;
}

export interface Refused<Code extends string> {
  readonly ok: false;
  readonly status: number;
  readonly problem: ProblemOf<Code>;
  /** When the app asks to be called again. */
  readonly retryAfterSeconds: number | undefined;
  /**
   * An attempt of this call, this one or an earlier one without an answer, may have taken effect or may yet do so. Call again
   * with the same id, or read what became of it.
   */
  readonly mayHaveTakenEffect: boolean;
}

export type Outcome<O extends Operation> = Answered<AnswerOf<O>> | Refused<CodeOf<O>>;

/** No answer of the app came: it was not reached, the time was over, or somebody else answered in its place. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  /** The call may have taken effect all the same. Call again with the same id, or read what became of it. */
  readonly mayHaveTakenEffect: boolean;
  /** The HTTP status of an answer that is not the app's, such as a proxy's. */
  readonly status: number | undefined;

  constructor(message: string, options: ErrorOptions & { mayHaveTakenEffect: boolean; status?: number | undefined }) {
    super(message, options);
    this.mayHaveTakenEffect = options.mayHaveTakenEffect;
    this.status = options.status;
  }
}

/** A refusal where none was expected; see {@link valueOf}. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly problem: Problem;
  readonly mayHaveTakenEffect: boolean;

  constructor({ problem, mayHaveTakenEffect }: Refused<string>) {
    const items = (problem.errors ?? []).map(({ path, line, message }) => `${path ?? line ?? ''} ${message}`.trim());
    super([`${problem.status} ${problem.code}: ${problem.detail ?? problem.title}`, ...items].join('; '));
    this.problem = problem;
    this.mayHaveTakenEffect = mayHaveTakenEffect;
  }
}

/**
 * The value of an answer, for callers that expect no refusal.
 *
 * @throws RefusedError
 * @example const { atp } = valueOf(await onepool.getAtp({ params: { sku }, query: { channel } }));
 */
export function valueOf<Value>(outcome: Answered<Value> | Refused<string>): Value {
  if (outcome.ok) return outcome.value;
  throw new RefusedError(outcome);
}
