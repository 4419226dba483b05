/**
 * The kinds of rows with codes: their fields, which of them a new row needs, which of them selling rules read, and how a row is
 * shown and told.
 */
import type { VersionedFact } from '@onepool/platform-unit-of-work';
import type { EntityTarget } from 'typeorm';
import type { Fault, RowCheck } from './checks/fault.ts';
import type { Draft } from './draft.ts';

/** What is wrong with one of the changes sent. */
export interface ChangeFault extends Fault {
  /** Its place among them. */
  readonly index: number;
  /** A code that names nothing. */
  readonly value?: string;
}

/** `E` is how it is stored, `C` what changes it, `V` how it is shown. */
export interface Kind<E extends { code: string }, C, V> {
  /** What leads the keys of its facts: `sku/…`. */
  readonly noun: 'sku' | 'node' | 'channel' | 'eligibility' | 'fence' | 'stop' | 'allowance' | 'receipt-policy';
  readonly entity: EntityTarget<E>;
  /** Its data is a `V` as its `value`, its key, and versions. */
  readonly fact: VersionedFact;
  readonly shown: (row: E) => V;
  readonly codeOf: (change: C) => string;
  readonly created: (code: string) => Draft<E>;
  /** The fields that a change tells; undefined are left. */
  readonly told: (change: C) => Partial<Omit<E, 'key' | 'code'>>;
  /** Fields that follow from the others. */
  readonly derived?: (row: Draft<E>) => Partial<Omit<E, 'key' | 'code'>>;
  /** Fields without which there is no row, and what to say then. */
  readonly needs: Readonly<Partial<Record<keyof E & string, string>>>;
  /** Fields by which is decided who may sell what from where. */
  readonly ruling: readonly (keyof E & string)[];
  readonly checks: readonly RowCheck<E>[];
}
