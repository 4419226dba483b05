/** Where an app asks who a key or a person is: the tables of the identity module, or the app that has them. */
import type { Scope } from '../scopes.ts';

/** Which state of the identity an answer comes from. */
export interface IdentityVersion {
  /** Made with the tables, and anew when they are restored from a backup: epochs of two incarnations do not compare. */
  readonly incarnation: string;
  /** Steps with every change, in the transaction of the change. */
  readonly epoch: number;
}

/** By SHA-256 of its key (64 lower-case hex digits), or by the id of a person. */
export type IdentityQuestion = { readonly sha256: string } | { readonly person: string };

/** Scopes, and the nodes and channels for which they hold; null: all. */
export interface Grant {
  readonly scopes: readonly Scope[];
  readonly nodes: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

/** A principal as one of its keys describes it, or a person by itself. */
export interface FoundIdentity {
  readonly principal: string;
  readonly kind: 'person' | 'service';
  /** The principal's, and its key's: what may be done is what all of them allow. */
  readonly grants: readonly [Grant, ...Grant[]];
  /** Null: never. Ended ones are found: whoever asks tells the caller why it is refused. */
  readonly expiresAt: Date | null;
}

export interface IdentityAnswer extends IdentityVersion {
  /** Null for what is unknown, revoked or disabled. Read together with the version, in one statement. */
  readonly found: FoundIdentity | null;
}

/** The present version, and whom the last steps concerned. */
export interface IdentityBeat extends IdentityVersion {
  /** Steps after this epoch are in `touched`. */
  readonly since: number;
  /** By epoch, the principals that a step concerned; null where it may concern anybody. */
  readonly touched: readonly { readonly epoch: number; readonly principals: readonly string[] | null }[];
}

export interface IdentitySource {
  ask(question: IdentityQuestion): Promise<IdentityAnswer>;
  /** Tells the present version, several times a second while it can. `sentAtMs`: monotonic, no later than it was true. */
  watch(onBeat: (beat: IdentityBeat, sentAtMs: number) => void): { stop(): Promise<void> };
}
