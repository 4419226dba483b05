import type { ReceivedFact } from './fact-log.ts';

/** Where facts come from. Delivery is at least once. */
export interface FactSource {
  /** Begins with what is written from now on; resolves once nothing of it can be missed. */
  start(onFact: (fact: ReceivedFact) => void): Promise<void>;
  /** Reads everything there is once more, in case something was delivered and lost on its way. */
  rewind(): void;
  stop(): Promise<void>;
}
