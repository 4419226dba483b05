/**
 * Places of shipped code at which a test may intervene, and variants of it that are wrong on purpose. Shipped code only
 * names them. What happens there lives in a library for tests, which installs itself here; without it nothing does.
 */

/** What the library for tests does where shipped code passes. */
export interface FailpointHandlers {
  /** Called at each passing. Undefined lets it go on at once. */
  pass(name: string): Promise<void> | undefined;
  isPlanted(name: string): boolean;
}

let handlers: FailpointHandlers | null = null;

/** Puts handlers in place of those before; null takes them out. */
export function installFailpoints(installed: FailpointHandlers | null): void {
  handlers = installed;
}

export const areFailpointsInstalled = (): boolean => handlers !== null;

/**
 * A place at which a test may end the process, hold it up or make it fail. Awaited where holding up is of use.
 *
 * The name is a literal, so that all of them can be listed.
 *
 * @example await failpoint('stock.batch.before_commit');
 */
export function failpoint(name: string): Promise<void> | undefined {
  return handlers === null ? undefined : handlers.pass(name);
}

/**
 * Whether a planted bug is on, which makes one place wrong so that whatever claims to find such faults can show it does.
 *
 * @example const now = variant('stock.expiry_by_transaction_start') ? 'now()' : 'clock_timestamp()';
 */
export function variant(name: string): boolean {
  return handlers !== null && handlers.isPlanted(name);
}
