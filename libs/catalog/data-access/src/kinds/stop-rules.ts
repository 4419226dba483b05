import { CATALOG_STOP_CHANGED, type StopRule, type StopRuleChange } from '@onepool/contracts';
import { StopRuleEntity } from '../entities.ts';
import { dateOf, given, isoOf, present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

export const STOP_RULES: Kind<StopRuleEntity, StopRuleChange, StopRule> = {
  noun: 'stop',
  entity: StopRuleEntity,
  fact: CATALOG_STOP_CHANGED,
  shown: (row) => ({
    rule: row.code,
    mode: row.mode as StopRule['mode'],
    nodes: row.nodes,
    channels: row.channels,
    ...present(row, ['reason']),
    ...present({ until: isoOf(row.until) }, ['until']),
  }),
  codeOf: ({ rule }) => rule,
  created: (code) => ({ code, channels: 'all', until: null, reason: null }),
  told: (change) => ({
    ...told(change, ['mode', 'nodes', 'channels', 'reason']),
    ...given({ until: dateOf(change.until) }),
  }),
  needs: {
    mode: 'a new stop needs its mode: stop or drain',
    nodes: 'a new stop needs its nodes: all, or a list of them',
  },
  ruling: ['mode', 'nodes', 'channels', 'until'],
  checks: [],
};
