/**
 * What a spec imports from `@jest/globals`: the globals that the runner has made, with what it leaves out. A test or hook that takes
 * longer than its limit fails instead of keeping the run waiting, and a test that counts its assertions fails if there were others.
 */
import type * as jestGlobals from '@jest/globals';
import { ModernFakeTimers } from '@jest/fake-timers';
import { type Event, type State, addEventHandler, getState } from 'jest-circus';

type Globals = typeof jestGlobals;
type Block = () => unknown;
type ClockConfig = ConstructorParameters<typeof ModernFakeTimers>[0]['config'];

/** A guard against waiting for ever, not a judgement: the machine may be busy with other things. */
const LIMIT_MS = 180_000;

const made = globalThis as unknown as Globals;
// A spec may replace them by a clock of its own.
const { setTimeout, clearTimeout, setImmediate } = globalThis;
/** Of specs that have set one for all their tests. */
const limits = new WeakMap<State, number>();

export const { expect, test, it, xit, xtest, fit, describe, xdescribe, fdescribe } = made;
export const { beforeAll, afterAll, beforeEach, afterEach } = made;
/** What the runner's own `jest` does not have; its clock cannot be reached. */
const clock = new ModernFakeTimers({ config: { fakeTimers: {} } as ClockConfig, global: globalThis });
const added: Partial<Globals['jest']> = {
  setTimeout: (milliseconds) => {
    limits.set(getState(), milliseconds);
    return jest;
  },
  useFakeTimers: () => {
    clock.useFakeTimers();
    return jest;
  },
  useRealTimers: () => {
    clock.useRealTimers();
    return jest;
  },
  advanceTimersByTime: (milliseconds) => clock.advanceTimersByTime(milliseconds),
  advanceTimersByTimeAsync: (milliseconds) => clock.advanceTimersByTimeAsync(milliseconds),
  getTimerCount: () => clock.getTimerCount(),
};
export const jest: Globals['jest'] = { ...made.jest, ...added };

addEventHandler((event: Event, state: State) => {
  if (event.name !== 'add_test' && event.name !== 'add_hook') return;
  const { children, hooks } = state.currentDescribeBlock;
  const added = event.name === 'add_test' ? children.at(-1) : hooks.at(-1);
  if (!added || added.type === 'describeBlock' || typeof added.fn !== 'function') return;
  if (added.fn.length > 0) throw new Error('A test or hook answers by its promise; a callback is not waited for.');
  const limit = event.timeout ?? limits.get(state) ?? LIMIT_MS;
  added.fn = bounded(added.fn as Block, limit);
});

/** What nobody has caught yet, which fails the test in which it comes up; a rejection may be caught later within the test. */
const uncaught = new Map<unknown, unknown>();
// A program that a spec starts may import what specs use; there nobody asks for them, and it ends as any program.
if ((globalThis as Partial<Globals>).it) {
  process.on('unhandledRejection', (reason, promise) => uncaught.set(promise, reason));
  process.on('rejectionHandled', (promise) => uncaught.delete(promise));
  process.on('uncaughtException', (error) => uncaught.set(error, error));
}

const bounded = (block: Block, limit: number) => async (): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${limit} ms.`)), limit);
  });
  try {
    await Promise.race([block(), late]);
  } catch (error) {
    throw withCauses(error);
  } finally {
    clearTimeout(timer);
  }
  // That a rejection was caught is told a turn later.
  if (uncaught.size > 0) await new Promise((resolve) => setImmediate(resolve));
  const [left] = uncaught.values();
  uncaught.clear();
  if (left !== undefined) throw left instanceof Error ? left : new Error('Thrown, and no error', { cause: left });
  for (const { error } of made.expect.extractExpectedAssertionsErrors()) throw error;
};

/** The runner prints the stack of an error, and not what has caused it. */
function withCauses(error: unknown): unknown {
  for (let cause = error instanceof Error ? error.cause : undefined; cause instanceof Error; cause = cause.cause)
    (error as Error).stack += `\nCaused by: ${cause.stack}`;
  return error;
}
