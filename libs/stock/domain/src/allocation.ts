/**
 * Spreads a quantity over nodes: the cheap, good first guess that brokering may better later. Who gets how much follows
 * from a policy, an ordered list of small rules; this is what a policy means, and `allocation-rules.ts` has the rules.
 */
import type { NodeAtp } from './atp.ts';
import type { NodeKey } from './keys.ts';
import type { SellingRules } from './selling-rules.ts';

export interface Destination {
  readonly lat: number;
  readonly lng: number;
}

export interface AllocationDemand {
  /** Units. */
  readonly quantity: number;
  readonly destination: Destination | null;
  /** Where nodes are. */
  readonly rules: SellingRules;
}

export interface NodeRejection {
  readonly code: string;
  readonly message: string;
}

/** Says which nodes may not be taken from. */
export interface AllocationFilter {
  readonly kind: 'filter';
  readonly name: string;
  /** Null accepts the node. */
  readonly refuse: (node: NodeAtp, demand: AllocationDemand) => NodeRejection | null;
}

/** Which of two nodes goes first: below 0 the first, above 0 the second, 0 leaves it to the next rule. Never NaN. */
export type NodeOrder = (a: NodeAtp, b: NodeAtp) => number;

/** Says which nodes are taken from first. */
export interface AllocationSorter {
  readonly kind: 'sorter';
  readonly name: string;
  /** Asked once for each demand, so that what is dear to know of a node is known once; null has nothing to say to it. */
  readonly orderFor: (demand: AllocationDemand, nodes: readonly NodeAtp[]) => NodeOrder | null;
}

export type AllocationRule = AllocationFilter | AllocationSorter;

/**
 * Every filter is asked in order, and a node is refused by the first that refuses it. Of the sorters the first that tells two nodes
 * apart decides; together they must tell any two apart, so that the order is total.
 */
export interface AllocationPolicy {
  readonly filters: readonly AllocationFilter[];
  readonly sorters: readonly AllocationSorter[];
}

export const policyOf = (rules: readonly AllocationRule[]): AllocationPolicy => ({
  filters: rules.filter((rule) => rule.kind === 'filter'),
  sorters: rules.filter((rule) => rule.kind === 'sorter'),
});

export interface Allocation {
  readonly node: NodeKey;
  readonly quantity: number;
}

export interface Allocated {
  readonly allocations: readonly Allocation[];
  readonly leftover: number;
}

/** Law: Σ allocations + leftover = quantity, no node comes twice, and none gives more than its ATP. */
export function allocationOf(policy: AllocationPolicy, demand: AllocationDemand, nodes: readonly NodeAtp[]): Allocated {
  const { quantity } = demand;
  if (quantity === 0) return { allocations: [], leftover: 0 };
  const accepted = acceptedBy(policy, demand, nodes);
  const [only] = accepted;
  if (only === undefined || accepted.length === 1) return take(quantity, accepted);
  const order = orderOf(policy.sorters, demand, accepted);
  // Nearly always the first node has it all, and the others need not be put in order.
  let first = only;
  for (const node of accepted) if (order(node, first) < 0) first = node;
  return first.atp >= quantity ? take(quantity, [first]) : take(quantity, accepted.toSorted(order));
}

/** Nearly always all of them, and then the very same array. Loops, because every line of every hold comes by here. */
function acceptedBy(policy: AllocationPolicy, demand: AllocationDemand, nodes: readonly NodeAtp[]): readonly NodeAtp[] {
  for (const node of nodes) {
    if (!isAccepted(policy, demand, node)) return nodes.filter((one) => isAccepted(policy, demand, one));
  }
  return nodes;
}

function isAccepted({ filters }: AllocationPolicy, demand: AllocationDemand, node: NodeAtp): boolean {
  for (const filter of filters) if (filter.refuse(node, demand) !== null) return false;
  return true;
}

/** Of all sorters together. */
function orderOf(sorters: readonly AllocationSorter[], demand: AllocationDemand, nodes: readonly NodeAtp[]): NodeOrder {
  let together: NodeOrder | null = null;
  for (let place = sorters.length - 1; place >= 0; place--) {
    const order = sorters[place]?.orderFor(demand, nodes) ?? null;
    if (order !== null) together = together === null ? order : inTurn(order, together);
  }
  return together ?? (() => 0);
}

const inTurn =
  (order: NodeOrder, next: NodeOrder): NodeOrder =>
  (a, b) =>
    order(a, b) || next(a, b);

/** Takes what each has, one after the other. */
function take(quantity: number, ranked: readonly NodeAtp[]): Allocated {
  const allocations: Allocation[] = [];
  let leftover = quantity;
  for (const { node, atp } of ranked) {
    if (leftover === 0) break;
    const taken = Math.min(Math.max(0, atp), leftover);
    if (taken > 0) allocations.push({ node, quantity: taken });
    leftover -= taken;
  }
  return { allocations, leftover };
}

export interface RefusedNode {
  readonly node: NodeKey;
  /** The filter's name. */
  readonly rule: string;
  readonly rejection: NodeRejection;
}

export interface RankedNode {
  readonly node: NodeKey;
  readonly atp: number;
  /** Units that are taken from it. */
  readonly quantity: number;
  /** The sorter that puts it before the next one; null if none follows. */
  readonly before: string | null;
}

export interface ExplainedAllocation extends Allocated {
  readonly refused: readonly RefusedNode[];
  /** In the order in which they are taken from. */
  readonly ranked: readonly RankedNode[];
}

/** The same allocation, and why it is so; for people who ask, not for holds. */
export function explainAllocation(
  policy: AllocationPolicy,
  demand: AllocationDemand,
  nodes: readonly NodeAtp[],
): ExplainedAllocation {
  const allocated = allocationOf(policy, demand, nodes);
  const accepted = acceptedBy(policy, demand, nodes);
  const sorted = accepted.toSorted(orderOf(policy.sorters, demand, accepted));
  const ranked = sorted.map(({ node, atp }, place): RankedNode => {
    const quantity = allocated.allocations.find((one) => one.node === node)?.quantity ?? 0;
    return { node, atp, quantity, before: decidingRule(policy, demand, accepted, sorted.slice(place, place + 2)) };
  });
  return { ...allocated, refused: nodes.flatMap((node) => refusalOf(policy, demand, node)), ranked };
}

function refusalOf({ filters }: AllocationPolicy, demand: AllocationDemand, node: NodeAtp): RefusedNode[] {
  for (const { name, refuse } of filters) {
    const rejection = refuse(node, demand);
    if (rejection) return [{ node: node.node, rule: name, rejection }];
  }
  return [];
}

function decidingRule(
  { sorters }: AllocationPolicy,
  demand: AllocationDemand,
  nodes: readonly NodeAtp[],
  [first, second]: readonly NodeAtp[],
): string | null {
  if (!first || !second) return null;
  return sorters.find(({ orderFor }) => (orderFor(demand, nodes)?.(first, second) ?? 0) !== 0)?.name ?? null;
}
