import { CATALOG_ALLOWANCE_CHANGED, type Allowance, type AllowanceChange } from '@onepool/contracts';
import { AllowanceEntity } from '../entities.ts';
import { present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

export const ALLOWANCES: Kind<AllowanceEntity, AllowanceChange, Allowance> = {
  noun: 'allowance',
  entity: AllowanceEntity,
  fact: CATALOG_ALLOWANCE_CHANGED,
  shown: (row) => ({
    allowance: row.code,
    skus: row.skus,
    nodes: row.nodes,
    cap: row.cap,
    ...present(row, ['reason']),
  }),
  codeOf: ({ allowance }) => allowance,
  created: (code) => ({ code, nodes: 'all', reason: null }),
  told: (change) => told(change, ['skus', 'nodes', 'cap', 'reason']),
  needs: {
    skus: 'a new allowance needs its SKUs: all, or a list of them',
    cap: 'a new allowance needs its cap',
  },
  ruling: ['skus', 'nodes', 'cap'],
  checks: [],
};
