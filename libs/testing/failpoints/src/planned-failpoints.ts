import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FailpointHandlers } from '@onepool/platform-failpoints';
import type { Order, Plan } from './plan.ts';

/** What a failpoint throws that was told to. */
export class FailpointError extends Error {
  override readonly name = 'FailpointError';
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Carries a plan out in this process. */
export class PlannedFailpoints implements FailpointHandlers {
  readonly #plan: Plan;
  readonly #killedIn: string | undefined;
  readonly #hits = new Map<string, number>();
  readonly #reached = new Map<string, Gate>();
  readonly #released = new Map<string, Gate>();

  /**
   * `killedIn`: a folder in which a kill leaves a file of its failpoint's name. A kill that left one is not repeated, so that
   * a process that is started again with the same plan lives, and of several replicas one is killed.
   */
  constructor(plan: Plan, killedIn?: string) {
    this.#plan = plan;
    this.#killedIn = killedIn;
  }

  isPlanted(name: string): boolean {
    return this.#plan.planted.has(name);
  }

  pass(name: string): Promise<void> | undefined {
    const hit = this.hits(name) + 1;
    this.#hits.set(name, hit);
    const order = this.#plan.orders.get(name);
    return order === undefined || (order.hit !== null && order.hit !== hit) ? undefined : this.#obey(order, name, hit);
  }

  /** How often the failpoint was passed. */
  hits(name: string): number {
    return this.#hits.get(name) ?? 0;
  }

  /** Resolves once something has been done at the failpoint. */
  reached(name: string): Promise<void> {
    return of(this.#reached, name).opened;
  }

  /** Lets what is held at the failpoint, or will be, go on. */
  release(name: string): void {
    of(this.#released, name).open();
  }

  releaseAll(): void {
    for (const name of this.#plan.orders.keys()) this.release(name);
  }

  async #obey(order: Order, name: string, hit: number): Promise<void> {
    if (order.kind === 'kill') return this.#kill(name, hit);
    of(this.#reached, name).open();
    if (order.kind === 'throw') throw new FailpointError(`${name} was told to fail at passing ${hit}`);
    if (order.kind === 'delay') await delay(order.delayMs);
    else await of(this.#released, name).opened;
  }

  /** Nothing of the process may run between the decision and its end, so this is synchronous. */
  #kill(name: string, hit: number): void {
    if (this.#killedIn !== undefined && !leave(join(this.#killedIn, name), `passing ${hit} of ${process.pid}\n`))
      return;
    process.kill(process.pid, 'SIGKILL');
  }
}

function of(gates: Map<string, Gate>, name: string): Gate {
  const found = gates.get(name) ?? gate();
  gates.set(name, found);
  return found;
}

/** False when somebody has left the file before. */
function leave(file: string, text: string): boolean {
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    writeSync(descriptor, text);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
