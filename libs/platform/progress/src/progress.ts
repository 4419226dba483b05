import { SingleBar } from 'cli-progress';

/** Shows how far the replay is: a bar on a terminal, a plain line every few seconds elsewhere. */
export interface Progress {
  begin(total: number): void;
  advance(): void;
  end(): void;
}

export const SILENT: Progress = { begin: () => undefined, advance: () => undefined, end: () => undefined };

const LINE_EVERY_MS = 5_000;

const barProgress = (): Progress => {
  const format = 'replay {bar} {percentage}% | {value}/{total} operations | {rate}/s | {eta_formatted} left';
  const bar = new SingleBar({ format, hideCursor: true, etaBuffer: 500 });
  let startMs = 0;
  let done = 0;
  return {
    begin: (total) => {
      startMs = performance.now();
      bar.start(total, 0, { rate: 0 });
    },
    advance: () => {
      done += 1;
      bar.update(done, { rate: Math.round((done / (performance.now() - startMs)) * 1_000) });
    },
    end: () => bar.stop(),
  };
};

const lineProgress = (print: (line: string) => void): Progress => {
  let startMs = 0;
  let total = 0;
  let done = 0;
  let timer: NodeJS.Timeout | undefined;
  const line = (): void => {
    const seconds = (performance.now() - startMs) / 1_000;
    const rate = done / seconds;
    const left = rate > 0 ? `${Math.ceil((total - done) / rate)} s left` : 'nothing answered yet';
    print(`replay: ${done} of ${total} operations, ${Math.round(rate)}/s, ${left}`);
  };
  return {
    begin: (count) => {
      startMs = performance.now();
      total = count;
      timer = setInterval(line, LINE_EVERY_MS);
    },
    advance: () => {
      done += 1;
    },
    end: () => {
      clearInterval(timer);
      line();
    },
  };
};

export const showProgress = (): Progress =>
  process.stdout.isTTY ? barProgress() : lineProgress((line) => void process.stdout.write(`${line}\n`));
