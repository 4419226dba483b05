// breaks @typescript-eslint/no-floating-promises
// Promises must be awaited, end with a call to .catch, end with a call to .then with a rejection handler or be explicitly marked as ignored with the `void` operator.
const work = (): Promise<void> => Promise.resolve();

export function start(): void {
  work();
}
