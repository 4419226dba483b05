/** The rules that policies of allocation are made of, and the policy that holds and healing follow. */
import {
  type AllocationFilter,
  type AllocationPolicy,
  type AllocationSorter,
  type Destination,
  type NodeOrder,
  policyOf,
} from './allocation.ts';

const EARTH_RADIUS_KM = 6_371;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance in kilometres. */
export function distanceKm(a: Destination, b: Destination): number {
  const dLat = radians(b.lat - a.lat);
  const dLng = radians(b.lng - a.lng);
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLng / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

const NO_UNITS = { code: 'node.no_units', message: 'the node has no units for the channel' };

export const hasUnits: AllocationFilter = {
  kind: 'filter',
  name: 'has_units',
  refuse: ({ atp }) => (atp > 0 ? null : NO_UNITS),
};

/** Nodes that cover everything go first, so that a line is split only when it must be. */
export const servesAlone: AllocationSorter = {
  kind: 'sorter',
  name: 'serves_alone',
  orderFor: ({ quantity }, nodes) => {
    for (const { atp } of nodes)
      if (atp >= quantity) return (a, b) => Number(b.atp >= quantity) - Number(a.atp >= quantity);
    return null;
  },
};

/** Near the destination first, if one is known; nodes without coordinates last. */
export const nearest: AllocationSorter = {
  kind: 'sorter',
  name: 'nearest',
  orderFor: ({ destination, rules }, nodes) => {
    if (!destination) return null;
    const kilometres = new Map(
      nodes.map(({ node }) => {
        const { lat = null, lng = null } = rules.nodes.get(node) ?? {};
        return [node, lat === null || lng === null ? Infinity : distanceKm(destination, { lat, lng })];
      }),
    );
    return (a, b) => {
      const ofA = kilometres.get(a.node) ?? Infinity;
      const ofB = kilometres.get(b.node) ?? Infinity;
      return ofA === ofB ? 0 : ofA - ofB;
    };
  },
};

const byAtp: NodeOrder = (a, b) => b.atp - a.atp;
const byKey: NodeOrder = (a, b) => a.node - b.node;

export const mostAvailable: AllocationSorter = { kind: 'sorter', name: 'most_available', orderFor: () => byAtp };

/** Tells any two nodes apart. */
export const lowestKey: AllocationSorter = { kind: 'sorter', name: 'lowest_key', orderFor: () => byKey };

export const DEFAULT_ALLOCATION: AllocationPolicy = policyOf([
  hasUnits,
  servesAlone,
  nearest,
  mostAvailable,
  lowestKey,
]);
