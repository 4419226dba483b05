import cliProgress from 'cli-progress';

/** Tells a person how far a job is. `done` ends the display and has to be called, also after a failure. */
export interface Progress {
  advance(what: string): void;
  done(): void;
}

/** A bar on a terminal; elsewhere one plain line whenever the work turns to something else. */
export function createProgress(total: number, output: NodeJS.WriteStream): Progress {
  if (!output.isTTY) {
    let shown = '';
    return {
      advance(what) {
        if (what !== shown) output.write(`seed: ${what}\n`);
        shown = what;
      },
      done: () => undefined,
    };
  }
  const bar = new cliProgress.SingleBar(
    { format: 'Seeding the demo network {bar} {percentage}% {what}', stream: output, hideCursor: true },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0, { what: '' });
  return {
    advance: (what) => {
      bar.increment({ what });
    },
    done: () => {
      bar.stop();
    },
  };
}
