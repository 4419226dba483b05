import { CATALOG_NODE_CHANGED, type Node, type NodeChange } from '@onepool/contracts';
import { NODE_CHECKS } from '../checks/node-checks.ts';
import { NodeEntity } from '../entities.ts';
import { dateOf, empty, given, inOneOrder, isoOf, present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

const UTC = 'UTC';
const PLAIN = ['name', 'gln', 'lat', 'lng', 'dailyCapacity', 'legalEntity', 'brand'] as const;
const LISTS = ['groups', 'openingHours', 'holidays', 'cutOffs', 'carrierServices'] as const;

export const NODES: Kind<NodeEntity, NodeChange, Node> = {
  noun: 'node',
  entity: NodeEntity,
  fact: CATALOG_NODE_CHANGED,
  shown: (row) => ({
    node: row.code,
    type: row.type as Node['type'],
    timeZone: row.timeZone,
    fulfilmentTypes: row.fulfilmentTypes as NonNullable<Node['fulfilmentTypes']>,
    ...present(row, [...PLAIN, ...LISTS]),
    ...present({ activeFrom: isoOf(row.activeFrom), activeTo: isoOf(row.activeTo) }, ['activeFrom', 'activeTo']),
  }),
  codeOf: ({ node }) => node,
  created: (code) => ({
    code,
    ...empty([...PLAIN, ...LISTS, 'activeFrom', 'activeTo']),
    timeZone: UTC,
    fulfilmentTypes: 'all',
  }),
  told: (change) => ({
    ...told(change, PLAIN),
    ...given({
      // No groups is what a node without a word about them has, too.
      groups: change.groups?.length === 0 ? null : change.groups,
      type: change.type,
      fulfilmentTypes: change.fulfilmentTypes,
      timeZone: change.timeZone === null ? UTC : change.timeZone,
      activeFrom: dateOf(change.activeFrom),
      activeTo: dateOf(change.activeTo),
      openingHours: inOneOrder(change.openingHours, ['day', 'opens', 'closes']),
      holidays: inOneOrder(change.holidays, ['date', 'opens', 'closes', 'name']),
      cutOffs: inOneOrder(change.cutOffs, ['day', 'time', 'fulfilmentType']),
      carrierServices:
        change.carrierServices?.map(({ carrier, service, pickups }) => ({
          carrier,
          service,
          pickups: pickups.map(({ day, time }) => ({ day, time })),
        })) ?? (change.carrierServices as null | undefined),
    }),
  }),
  needs: { type: 'a new node needs its type' },
  ruling: ['type', 'lat', 'lng', 'activeFrom', 'activeTo'],
  checks: NODE_CHECKS,
};
