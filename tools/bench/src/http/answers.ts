/** One body of each route, as the app answered it; the bare routes answer the same. */
export interface Answers {
  readonly reserve: string;
  readonly read: string;
  readonly read100: string;
}
