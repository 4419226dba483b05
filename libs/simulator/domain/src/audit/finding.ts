/** One thing that cannot be true of a correct system, with what a person needs to look at it. */
export interface Finding {
  readonly check: 'oversold' | 'undersold' | 'broken' | 'lost' | 'events' | 'ledger';
  /** Units, or for `undersold` calls. */
  readonly count: number;
  readonly subject: string;
  readonly detail: string;
}
