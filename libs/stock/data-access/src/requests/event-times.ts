/**
 * An entry was recorded no earlier than so long before the event occurred, whatever clocks did meanwhile: nothing occurs after
 * it is told, and there is room for a database's clock that was set back. The ledger is partitioned by the time of recording, so that what occurred
 * since a time lies in the months since then.
 */
export const RECORDED_BEFORE_OCCURRED_MAX_MS = 24 * 3_600_000;
