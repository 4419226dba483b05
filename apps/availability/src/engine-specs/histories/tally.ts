/** What has been played, by its name and what became of it: `hold: stock.insufficient`. */
export type Tally = Map<string, number>;

export const count = (tally: Tally, name: string): void => void tally.set(name, (tally.get(name) ?? 0) + 1);
