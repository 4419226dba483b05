/** Where units could go that cannot stay as they are, for those who decide about them. */
import { type NodeAtp, channelAtp } from './atp.ts';
import type { LineNo } from './keys.ts';
import type { Reservation } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import type { SkuSupply } from './supply.ts';

/** Nodes with units that may serve a line now, those with the most first; several promises may have the same units in mind. */
export function candidatesOf(
  { channel: key, lines }: Reservation,
  line: LineNo,
  supply: SkuSupply,
  rules: SellingRules,
  now: number,
): readonly NodeAtp[] {
  const channel = rules.channels.get(key);
  if (!channel) return [];
  const chosen = lines[line]?.nodes ?? null;
  const { atp, nodes } = channelAtp(supply, rules, { channel, nodes: chosen && new Set(chosen), now });
  return nodes
    .map((one) => ({ ...one, atp: Math.min(one.atp, atp) }))
    .filter((one) => one.atp > 0)
    .toSorted((a, b) => b.atp - a.atp || a.node - b.node);
}
