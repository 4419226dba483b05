// breaks @typescript-eslint/no-misused-promises
// Expected non-Promise value in a boolean conditional.
const isOpen = (): Promise<boolean> => Promise.resolve(true);

export const answer = (): string => (isOpen() ? 'yes' : 'no');
