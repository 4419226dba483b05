/** Spreads a desired quantity over nodes: the cheap, good first guess that brokering may better later. */
import type { NodeAtp } from './atp.ts';
import type { NodeKey } from './keys.ts';
import type { SellingRules } from './selling-rules.ts';

export interface Destination {
  readonly lat: number;
  readonly lng: number;
}

export interface Allocation {
  readonly node: NodeKey;
  readonly quantity: number;
}

const EARTH_RADIUS_KM = 6_371;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance in kilometres. */
export function distanceKm(a: Destination, b: Destination): number {
  const dLat = radians(b.lat - a.lat);
  const dLng = radians(b.lng - a.lng);
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLng / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * Orders nodes for a desired quantity: near the destination if one is known (nodes without coordinates last), then
 * most available, then by key so that the order is total.
 */
export function rankNodes(nodes: readonly NodeAtp[], rules: SellingRules, destination: Destination | null): NodeAtp[] {
  const kilometres = (node: NodeKey): number => {
    const place = destination && rules.nodes.get(node);
    return place && place.lat !== null && place.lng !== null
      ? distanceKm(destination, { lat: place.lat, lng: place.lng })
      : Number.POSITIVE_INFINITY;
  };
  const near = new Map(destination ? nodes.map(({ node }) => [node, kilometres(node)]) : []);
  return nodes.toSorted((a, b) => {
    const nearer = destination ? (near.get(a.node) ?? 0) - (near.get(b.node) ?? 0) : 0;
    return (Number.isNaN(nearer) ? 0 : nearer) || b.atp - a.atp || a.node - b.node;
  });
}

/**
 * Takes from ranked nodes; the first that covers everything serves alone, so that a line is split only when it must be.
 * Law: Σ allocations + leftover = desired, and no allocation exceeds its node's ATP.
 */
export function allocate(
  desired: number,
  ranked: readonly NodeAtp[],
): { readonly allocations: readonly Allocation[]; readonly leftover: number } {
  if (desired === 0) return { allocations: [], leftover: 0 };
  const whole = ranked.find(({ atp }) => atp >= desired);
  if (whole) return { allocations: [{ node: whole.node, quantity: desired }], leftover: 0 };
  const allocations: Allocation[] = [];
  let leftover = desired;
  for (const { node, atp } of ranked) {
    if (leftover === 0) break;
    const quantity = Math.min(atp, leftover);
    if (quantity > 0) allocations.push({ node, quantity });
    leftover -= quantity;
  }
  return { allocations, leftover };
}
