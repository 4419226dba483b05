import type { BugTrial } from './bugs/index.ts';
import { onStage } from './stage.ts';

/** What a trial found on a system with its bug, or on one without it. */
export async function tryBug(
  { bug, replicas, of = 'app', besides, withConsumer, look }: BugTrial,
  isPlanted: boolean,
  say: (message: string) => void,
): Promise<readonly string[]> {
  const plan = [...(isPlanted ? [`${bug}=planted`] : []), ...(besides === undefined ? [] : [besides])].join(' ');
  const isConsumers = of === 'consumer';
  return onStage(
    {
      replicas,
      failpoints: isConsumers ? undefined : plan,
      consumerFailpoints: isConsumers ? plan : withConsumer && null,
      say,
    },
    look,
  );
}
