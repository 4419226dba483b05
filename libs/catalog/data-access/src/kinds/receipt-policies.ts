import {
  CATALOG_RECEIPT_POLICY_CHANGED,
  INSPECT_WITHIN_HOURS_DEFAULT,
  type ReceiptPolicy,
  type ReceiptPolicyChange,
} from '@onepool/contracts';
import { ReceiptPolicyEntity } from '../entities.ts';
import { told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

export const RECEIPT_POLICIES: Kind<ReceiptPolicyEntity, ReceiptPolicyChange, ReceiptPolicy> = {
  noun: 'receipt-policy',
  entity: ReceiptPolicyEntity,
  fact: CATALOG_RECEIPT_POLICY_CHANGED,
  shown: (row) => ({
    policy: row.code,
    to: row.to as ReceiptPolicy['to'],
    nodes: row.nodes,
    reasons: row.reasons,
    inspectWithinHours: row.inspectWithinHours,
  }),
  codeOf: ({ policy }) => policy,
  created: (code) => ({
    ...{ code, nodes: 'all', reasons: 'all' },
    inspectWithinHours: INSPECT_WITHIN_HOURS_DEFAULT,
  }),
  told: (change) => told(change, ['to', 'nodes', 'reasons', 'inspectWithinHours']),
  needs: { to: 'a new policy needs to, the state in which units arrive' },
  ruling: ['to', 'nodes', 'reasons', 'inspectWithinHours'],
  checks: [],
};
