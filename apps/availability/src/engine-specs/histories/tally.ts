/** What has been played, by its name and what became of it: `hold: stock.insufficient`. */
export type Tally = Map<string, number>;

export const count = (tally: Tally, name: string): void => void tally.set(name, (tally.get(name) ?? 0) + 1);

const isAsked = process.env['ONEPOOL_SQL_PROGRESS'] !== undefined;

/** To whoever runs the spec and has asked for it. */
export const say = (line: string): void => void (isAsked && process.stdout.write(`histories ${line}\n`));
export const tell = (tally: Tally): void => say(`tally: ${JSON.stringify([...tally].sort())}`);
