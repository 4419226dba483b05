/** What is compared: ways to reserve units, all writing the same rows to the same tables. */
export interface Line {
  /** Internal key; its code is {@link skuCode}. */
  readonly sku: number;
  readonly quantity: number;
}

/** What a contender was told it has reserved; the database is asked for the same afterwards. */
export class Tally {
  reservations = 0;
  lines = 0;
  units = 0;

  add(lines: readonly Line[], reservations = 1): void {
    this.reservations += reservations;
    this.lines += lines.length;
    for (const { quantity } of lines) this.units += quantity;
  }
}

export interface Contender {
  /** Also the principal in whose name it reserves. */
  readonly owner: string;
  readonly tally: Tally;
  /** Resolves when the units are reserved and durable; rejects when they are refused or the outcome is unknown. */
  reserve(lines: readonly Line[]): Promise<void>;
  close(): Promise<void>;
}

/** Where contenders reserve: a migrated database filled by `fillDatabase`. */
export interface Surroundings {
  /** Of the role that the app and the contenders work as. */
  readonly url: string;
  /** Of the role that makes, fills and checks. */
  readonly ownerUrl: string;
  readonly schema: string;
  readonly partitionCount: number;
}

export const CHANNEL = 'web';
export const EXPIRES_IN_SECONDS = 3_600;
export const skuCode = (key: number): string => `S${String(key).padStart(8, '0')}`;

/** Far above every key that the engine hands out in a run, so that no baseline pays a round trip for its key. */
let nextKey = 2 ** 40;
export const newReservationKey = (): number => nextKey++;

let numbered = 0;
/** A reservation id that no other contender of this process uses. */
export const newReservationId = (): string => `r-${String(numbered++).padStart(10, '0')}`;
