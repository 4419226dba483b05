/** k6 gives scenarios one way to write while they run, its console, which `npm run load` sends to the history's file. */
declare const console: { log(line: string): void };

/** Adds one line of JSON to the history. */
export function writeLine(value: unknown): void {
  console.log(JSON.stringify(value));
}
