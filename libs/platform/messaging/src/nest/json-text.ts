/** A JSON document that is text already, for answers that are too large to become text in one go. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Whoever does not know it writes the value that it stands for. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** The answer as text. There is none of undefined, and an empty NATS body means "no responders", so that is null. */
export const jsonTextOf = (answer: unknown): string =>
  answer instanceof JsonText ? answer.text : (JSON.stringify(answer) ?? 'null');
