import { CATALOG_FENCE_CHANGED, type Fence, type FenceChange } from '@onepool/contracts';
import type { Draft } from '../draft.ts';
import { type Fault, fault } from '../checks/fault.ts';
import { FenceEntity } from '../entities.ts';
import { dateOf, given, isoOf, present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

export const FENCES: Kind<FenceEntity, FenceChange, Fence> = {
  noun: 'fence',
  entity: FenceEntity,
  fact: CATALOG_FENCE_CHANGED,
  shown: (row) => ({
    fence: row.code,
    skus: row.skus,
    nodes: row.nodes,
    channels: row.channels,
    ...present(row, ['quantity', 'sharePercent', 'reason']),
    ...present({ until: isoOf(row.until) }, ['until']),
  }),
  codeOf: ({ fence }) => fence,
  created: (code) => ({ code, nodes: 'all', quantity: null, sharePercent: null, until: null, reason: null }),
  told: (change) => ({
    ...told(change, ['skus', 'nodes', 'channels', 'reason']),
    ...measureOf(change),
    ...given({ until: dateOf(change.until) }),
  }),
  needs: {
    skus: 'a new fence needs its SKUs: all, or a list of them',
    channels: 'a new fence needs the channels for which it keeps units',
  },
  ruling: ['skus', 'nodes', 'channels', 'quantity', 'sharePercent', 'until'],
  checks: [{ members: ['channels', 'quantity', 'sharePercent'], fault: unmeasured }],
};

/** A fence keeps so many units or a share: whichever is told takes the place of the other. */
function measureOf({ quantity, sharePercent }: FenceChange): Partial<FenceEntity> {
  if (quantity === undefined && sharePercent === undefined) return {};
  return { quantity: quantity ?? null, sharePercent: sharePercent ?? null };
}

function unmeasured({ quantity = null, sharePercent = null }: Draft<FenceEntity>): Fault | undefined {
  if ((quantity === null) !== (sharePercent === null)) return undefined;
  return quantity === null
    ? fault('quantity', 'missing', 'a fence keeps either a quantity or sharePercent')
    : fault('sharePercent', 'conflict', 'a fence keeps either a quantity or sharePercent, not both');
}
