/** One turn of one contender in one round. */
export interface Turn<N extends string> {
  readonly round: number;
  readonly contender: N;
}

/**
 * A B C A B C …: everyone has a turn in each round, always in the same order, so that drift of the machine or growth of
 * the tables meets all alike.
 */
export function interleave<N extends string>(contenders: readonly N[], rounds: number): readonly Turn<N>[] {
  return Array.from({ length: rounds }, (_, round) => contenders.map((contender) => ({ round, contender }))).flat();
}

/** What the turns gave, by contender, in the order of the rounds. */
export class Results<N extends string, T> {
  readonly #byContender = new Map<N, T[]>();

  add(contender: N, result: T): void {
    const results = this.#byContender.get(contender) ?? [];
    results.push(result);
    this.#byContender.set(contender, results);
  }

  /** One value a round. @throws when the contender had no turn. */
  pick<V>(contender: N, choose: (result: T) => V): readonly V[] {
    const results = this.#byContender.get(contender);
    if (results === undefined) throw new Error(`${contender} had no turn`);
    return results.map(choose);
  }
}
