import cliProgress from 'cli-progress';

/** Shows how far a job is: a bar on a terminal, a plain line every few seconds elsewhere. */
export interface Progress {
  begin(total: number): void;
  advance(count?: number): void;
  /** A line that stays. */
  note(line: string): void;
  /** Has to be called, also after a failure. */
  end(): void;
}

export const SILENT: Progress = {
  begin: () => undefined,
  advance: () => undefined,
  note: () => undefined,
  end: () => undefined,
};

export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

const LINE_EVERY_MS = 5_000;

/**
 * @param name what is done, before each line
 * @param unit what is counted, in the plural
 * @example
 * const progress = showProgress('replay', 'operations');
 * progress.begin(500);
 */
export const showProgress = (name: string, unit: string, output: NodeJS.WriteStream = process.stdout): Progress =>
  output.isTTY ? new Bar(name, unit, output) : new Lines(name, unit, output);

class Bar implements Progress {
  readonly #bar: cliProgress.SingleBar;
  readonly #output: Output;
  #startMs = 0;
  #done = 0;

  constructor(name: string, unit: string, output: NodeJS.WriteStream) {
    const format = `${name} {bar} {percentage}% | {value}/{total} ${unit} | {rate}/s | {eta_formatted} left`;
    this.#bar = new cliProgress.SingleBar({ format, stream: output, hideCursor: true, etaBuffer: 500 });
    this.#output = output;
  }

  begin(total: number): void {
    this.#startMs = performance.now();
    this.#bar.start(total, 0, { rate: 0 });
  }

  advance(count = 1): void {
    this.#done += count;
    this.#bar.update(this.#done, { rate: Math.round((this.#done / (performance.now() - this.#startMs)) * 1_000) });
  }

  note(line: string): void {
    this.#output.write(`\r\u001b[K${line}\n`);
  }

  end(): void {
    this.#bar.stop();
  }
}

class Lines implements Progress {
  readonly #name: string;
  readonly #unit: string;
  readonly #output: Output;
  #startMs = 0;
  #total = 0;
  #done = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, unit: string, output: Output) {
    this.#name = name;
    this.#unit = unit;
    this.#output = output;
  }

  begin(total: number): void {
    this.#startMs = performance.now();
    this.#total = total;
    this.#timer = setInterval(() => this.#line(), LINE_EVERY_MS);
  }

  advance(count = 1): void {
    this.#done += count;
  }

  note(line: string): void {
    this.#output.write(`${line}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    this.note(`${this.#counted()} in ${Math.round(this.#seconds())} s`);
  }

  #line(): void {
    const rate = this.#done / this.#seconds();
    const left = Math.ceil((this.#total - this.#done) / rate);
    const when = this.#done === 0 ? 'nothing done yet' : `${Math.round(rate)}/s, about ${left} s left`;
    this.note(`${this.#counted()}, ${when}`);
  }

  #counted(): string {
    return `${this.#name}: ${this.#done} of ${this.#total} ${this.#unit}`;
  }

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1_000;
  }
}
