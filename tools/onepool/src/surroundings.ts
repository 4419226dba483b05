/** What a command works with; a spec gives its own. */
export interface Surroundings {
  /** The runtime's home. */
  readonly home: string;
  /** Shows a line to whoever typed the command. */
  readonly print: (text: string) => void;
}
