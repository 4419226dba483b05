/** Shows how far the run is: a bar on a terminal, plain lines elsewhere. */
import cliProgress from 'cli-progress';

export interface Progress {
  /** Something begins that takes about so long. */
  step(label: string, seconds: number): void;
  /** A line for the reader that stays. */
  note(text: string): void;
  end(): void;
}

const TICK_MS = 250;

/** The bar moves with the clock within a step, never beyond it. */
class Bar implements Progress {
  readonly #bar: cliProgress.SingleBar;
  readonly #timer: NodeJS.Timeout;
  #done = 0;
  #step = 0;
  #begun = performance.now();

  constructor(totalSeconds: number) {
    const format = '{bar} {percentage} %  {label}';
    this.#bar = new cliProgress.SingleBar({ format, clearOnComplete: true, hideCursor: true, barsize: 24 });
    this.#bar.start(totalSeconds, 0, { label: '' });
    this.#timer = setInterval(() => {
      const within = Math.min(this.#step, (performance.now() - this.#begun) / 1_000);
      this.#bar.update(Math.min(totalSeconds, this.#done + within));
    }, TICK_MS);
  }

  step(label: string, seconds: number): void {
    this.#done += this.#step;
    this.#step = seconds;
    this.#begun = performance.now();
    this.#bar.update(Math.min(this.#bar.getTotal(), this.#done), { label });
  }

  note(text: string): void {
    process.stdout.write(`\r\u001b[K${text}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#bar.stop();
  }
}

const plain: Progress = {
  step: (label) => console.log(`${new Date().toISOString().slice(11, 19)}  ${label}`),
  note: (text) => console.log(text),
  end: () => undefined,
};

export const showProgress = (totalSeconds: number): Progress => (process.stdout.isTTY ? new Bar(totalSeconds) : plain);
