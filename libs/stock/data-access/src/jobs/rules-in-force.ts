/** Milliseconds after which every batch is committed that was decided by the rules before: none may take so long from its look at them. */
export const RULES_SETTLE_AFTER_MS = 8_000;

/**
 * Names the rules that hold right now, for statements that read `rules_epoch`: another name means that more may be promised somewhere.
 * Rules change with the epoch, and some of them by the clock: nodes begin to sell, fences and stops are over.
 */
export const RULES_IN_FORCE = `concat(epoch, ' ', extract(epoch FROM greatest(
  (SELECT max(active_from) FROM rules_node WHERE active_from <= clock_timestamp()),
  (SELECT max(until) FROM rules_fence WHERE until <= clock_timestamp()),
  (SELECT max(until) FROM rules_stop WHERE until <= clock_timestamp()),
  (SELECT max(until) FROM sku_stop WHERE until <= clock_timestamp()))))`;
