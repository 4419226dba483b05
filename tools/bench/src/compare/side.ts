/** A side of the comparison as this process sees it: a child that is asked one thing at a time. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WrongResultsError } from '../setting/verify.ts';
import type { Reply, Request, TurnFigures } from './protocol.ts';
import type { Tree } from './trees.ts';

export class Side {
  readonly label: string;
  readonly #child: ChildProcess;
  /** Rejects when the child ends, whoever ended it. */
  readonly #ended: Promise<never>;

  private constructor(label: string, child: ChildProcess) {
    this.label = label;
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the child of ${label} ended (${String(code)})`);
    });
    this.#ended.catch(() => undefined);
  }

  /** Starts the child of a tree on a Node; resolves when its servers run. */
  static async start(tree: Tree, node: string, home: string): Promise<Side> {
    const child = fork(join(tree.root, 'tools/bench/dist/compare/child.js'), [home], {
      cwd: tree.root,
      execPath: node,
      // What the child starts finds packages by its own tree's export conditions.
      execArgv: [],
    });
    const side = new Side(tree.label, child);
    await side.#reply();
    return side;
  }

  /** @throws WrongResultsError with the child's words when it fails: what it checks are results. */
  async ask(request: Request): Promise<TurnFigures | undefined> {
    this.#child.send(request);
    return this.#reply();
  }

  /** Resolves when the child has stopped its servers. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }

  async #reply(): Promise<TurnFigures | undefined> {
    const [reply] = (await Promise.race([once(this.#child, 'message'), this.#ended])) as [Reply];
    if (!reply.ok) throw new WrongResultsError(`${this.label}: ${reply.error}`);
    return reply.figures;
  }
}
