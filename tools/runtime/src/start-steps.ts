/** Shows the steps of a start: a live list on a terminal, plain lines elsewhere. */
import { Listr } from 'listr2';
import type { DefaultRenderer, ListrTask, ListrTaskWrapper, SimpleRenderer } from 'listr2';

export type Step = ListrTask<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;
export type StepWrapper = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** On a narrower terminal, or one that does not know its width, a live list is illegible. */
const LIVE_COLUMNS_MIN = 40;

/** What a step can tell while it runs. */
export interface StepVoice {
  /** A line of progress below the step's title. */
  readonly say: (line: string) => void;
  /** Adds to the title. */
  readonly note: (text: string) => void;
}

/** The steps of one start. The first failure ends the list, is shown short beside its step, and is thrown whole. */
export class StartSteps {
  #failure: unknown;

  step(title: string, work: (voice: StepVoice) => Promise<void>): Step {
    return { title, task: (_context, wrapper) => this.#guard(wrapper, work) };
  }

  /** Steps that run at the same time, made when their turn comes. */
  together(title: string, steps: () => Step[]): Step {
    return { title, task: (_context, wrapper) => wrapper.newListr(steps(), { concurrent: true }) };
  }

  async run(steps: Step[]): Promise<void> {
    const list = new Listr<unknown, 'default', 'simple'>(steps, {
      concurrent: false,
      exitOnError: true,
      registerSignalListeners: false,
      fallbackRenderer: 'simple',
      fallbackRendererCondition: () => !process.stdout.isTTY || process.stdout.columns < LIVE_COLUMNS_MIN,
      rendererOptions: { collapseSubtasks: false, collapseErrors: true },
    });
    try {
      await list.run();
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  async #guard(wrapper: StepWrapper, work: (voice: StepVoice) => Promise<void>): Promise<void> {
    const say = (line: string): void => {
      if (line.trim() !== '') wrapper.output = line;
    };
    const note = (text: string): void => {
      wrapper.title = `${wrapper.title}${text}`;
    };
    try {
      await work({ say, note });
    } catch (error) {
      this.#failure ??= error;
      const [firstLine] = String(error instanceof Error ? error.message : error).split('\n', 1);
      throw new Error(firstLine, { cause: error });
    }
  }
}
