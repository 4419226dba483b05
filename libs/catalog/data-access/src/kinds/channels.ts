import { CATALOG_CHANNEL_CHANGED, type Channel, type ChannelChange } from '@onepool/contracts';
import { unknownCurrency } from '../checks/currencies.ts';
import { ChannelEntity } from '../entities.ts';
import { empty, present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

const PLAIN = ['name', 'legalEntity', 'brand', 'currency'] as const;

export const CHANNELS: Kind<ChannelEntity, ChannelChange, Channel> = {
  noun: 'channel',
  entity: ChannelEntity,
  fact: CATALOG_CHANNEL_CHANGED,
  shown: (row) => ({
    channel: row.code,
    type: row.type as Channel['type'],
    nodeTypes: row.nodeTypes as Channel['nodeTypes'],
    nodes: row.nodes,
    ...present(row, PLAIN),
  }),
  codeOf: ({ channel }) => channel,
  created: (code) => ({ code, ...empty(PLAIN), nodeTypes: 'all' }),
  told: (change) => told(change, [...PLAIN, 'type', 'nodeTypes', 'nodes']),
  needs: {
    type: 'a new channel needs its type',
    nodes: 'a new channel needs its nodes: all, or a list of them',
  },
  ruling: ['nodeTypes', 'nodes'],
  checks: [{ members: ['currency'], fault: ({ currency }) => unknownCurrency('currency', currency) }],
};
