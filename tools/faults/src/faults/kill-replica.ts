import { onSystem } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { accepts, killAndMeasure } from './killed-server.ts';

/** `kill -9` of an availability replica: the others go on, clients repeat, its locks end with its connections. */
export const killReplica: Fault = {
  name: 'kill-replica',
  ends: ['availability-1'],
  prepare: onSystem((stage) => {
    const [url = ''] = stage.system.urls;
    return killAndMeasure(stage, { name: 'availability-1', isBack: () => accepts(url, false), through: url });
  }),
};
