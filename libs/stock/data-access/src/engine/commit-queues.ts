/** The commit queues of one engine, and which of them takes a command. */
import { BatchCommits } from '../group-commit/batch-commits.ts';
import { CommitQueue, type CommitQueueHooks, type CommitQueueLimits } from '../group-commit/commit-queue.ts';
import type { GatePatience } from '../repository/gates.ts';
import type { Command, Outcome } from '../requests/command.ts';
import { QUEUES_DEFAULT } from './connections.ts';
import type { EngineContext } from './engine-context.ts';

const LIMITS: CommitQueueLimits = { commandsPerBatchMax: 512, linesPerBatchMax: 2_000, queueMax: 20_000 };

export interface CommitQueuesOptions {
  /** For single-SKU commands; one more serves carts. Default {@link QUEUES_DEFAULT}. */
  readonly queues?: number;
  readonly limits?: Partial<CommitQueueLimits>;
  readonly hooks?: CommitQueueHooks;
}

export class CommitQueues {
  readonly #queues: readonly CommitQueue[];
  readonly #cartQueue: CommitQueue;
  /** For what concerns thousands of promises of a SKU: callers that want others do not wait behind it. */
  readonly #tendQueue: CommitQueue;

  constructor(context: EngineContext, options: CommitQueuesOptions) {
    const limits = { ...LIMITS, ...options.limits };
    const queueOf = (patience: GatePatience, contended: CommitQueue | null): CommitQueue => {
      const commits = new BatchCommits(context, patience);
      return new CommitQueue((batch) => commits.commit(batch), limits, options.hooks, contended);
    };
    const queue = (): CommitQueue => queueOf('short', queueOf('long', null));
    this.#queues = Array.from({ length: options.queues ?? QUEUES_DEFAULT }, queue);
    this.#cartQueue = queue();
    this.#tendQueue = queue();
  }

  /** `deadline` in milliseconds of `performance.now()`. */
  submit(command: Command, deadline: number): Promise<Outcome> {
    return this.#queueOf(command).submit(command, deadline);
  }

  #queueOf(command: Command): CommitQueue {
    if (command.kind === 'drain' || (command.kind === 'tend' && command.heal)) return this.#tendQueue;
    const [only, ...more] = command.skus;
    if (only === undefined || more.length > 0) return this.#cartQueue;
    return this.#queues[only % this.#queues.length] ?? this.#cartQueue;
  }

  /** Commands that wait or are being committed. */
  get depth(): number {
    return this.#all.reduce((sum, queue) => sum + queue.depth, 0);
  }

  /** Once what is queued has finished. */
  async idle(): Promise<void> {
    await Promise.all(this.#all.map((queue) => queue.idle()));
  }

  get #all(): readonly CommitQueue[] {
    return [...this.#queues, this.#cartQueue, this.#tendQueue];
  }
}
