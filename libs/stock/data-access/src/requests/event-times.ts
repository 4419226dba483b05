/** How far ahead of its arrival an event may be told to have occurred. */
export const FUTURE_TOLERANCE_MS = 5 * 60_000;
/**
 * An entry was recorded no earlier than so long before the event occurred, whatever clocks did meanwhile: the tolerance, with
 * room for a database's clock that was set back. The ledger is partitioned by the time of recording, so that what occurred
 * since a time lies in the months since then.
 */
export const RECORDED_BEFORE_OCCURRED_MAX_MS = 24 * 3_600_000;
