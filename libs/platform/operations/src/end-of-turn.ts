let ending: Promise<void> | null = null;

/**
 * Answers of one turn of the event loop leave together. One that is written at once wakes its caller, who sleeps again
 * before the next is ready; that many wake-ups cost more than the answers.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) =>
    setImmediate(() => {
      ending = null;
      resolve();
    }),
  );
  return ending;
}
