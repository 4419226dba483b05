import { CATALOG_ELIGIBILITY_CHANGED, type EligibilityRule, type EligibilityRuleChange } from '@onepool/contracts';
import { EligibilityRuleEntity } from '../entities.ts';
import { present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

/** Selling rules do not read them yet, so that none of their fields steps the epoch. */
export const ELIGIBILITY_RULES: Kind<EligibilityRuleEntity, EligibilityRuleChange, EligibilityRule> = {
  noun: 'eligibility',
  entity: EligibilityRuleEntity,
  fact: CATALOG_ELIGIBILITY_CHANGED,
  shown: (row) => ({
    rule: row.code,
    forbids: row.forbids as EligibilityRule['forbids'],
    skus: row.skus,
    nodes: row.nodes,
    channels: row.channels,
    ...present(row, ['reason']),
  }),
  codeOf: ({ rule }) => rule,
  created: (code) => ({ code, nodes: 'all', channels: 'all', reason: null }),
  told: (change) => told(change, ['forbids', 'skus', 'nodes', 'channels', 'reason']),
  needs: {
    forbids: 'a new rule needs what it forbids: ship or sell',
    skus: 'a new rule needs its SKUs: all, or a list of them',
  },
  ruling: [],
  checks: [],
};
