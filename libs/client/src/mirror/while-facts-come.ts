import { runConsumer } from '@onepool/platform-messaging';
import { FactIntake, type IntakeOptions } from './fact-intake.ts';
import type { FollowerSettings } from './follower-settings.ts';

export interface Coming extends Pick<IntakeOptions, 'generation' | 'position' | 'onEnd'> {
  /** A fact could not be had or applied; it is tried again. */
  readonly onError: (error: unknown) => void;
}

/** Has facts taken into a generation of the mirror as long as `work` goes on. */
export async function whileFactsCome<T>(
  { connection, durable, domain, plan, store, concurrency, hooks }: FollowerSettings,
  { onError, ...coming }: Coming,
  work: () => Promise<T>,
): Promise<T> {
  const intake = new FactIntake({ store, ...coming });
  const consumer = runConsumer<undefined>({
    connection,
    durable,
    stream: plan.stream,
    filterSubject: plan.filterSubject,
    concurrency,
    // A durable that is gone must not be made again unnoticed.
    provisioned: true,
    ...(domain === undefined ? {} : { domain }),
    within: intake,
    handler: (event) => intake.take(plan.rowsOf(event)),
    hooks: { ...hooks, onError },
  });
  try {
    return await work();
  } finally {
    await consumer.stop();
  }
}
