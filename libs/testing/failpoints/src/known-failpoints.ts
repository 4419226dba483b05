/** Every name in shipped code; a spec compares. What is listed here can be drilled, so each says what it is. */

/** Commits, by library, each with what is lost or done twice if it goes wrong. */
export const COMMITS = {
  'app.receive': 'the effect of another app’s fact in a unit of work, with its row in the inbox',
  'catalog.eligibility': 'rules of what may be shipped or sold where',
  'catalog.prices': 'prices of one call',
  'catalog.rules': 'a change of nodes, channels, thresholds, fences, stops or such rules, with the step of the epoch',
  'catalog.skus': 'SKUs of one call',
  'client.mirror_begin': 'a generation of a mirror begun',
  'client.mirror_complete': 'a generation of a mirror complete, and read from then on',
  'client.mirror_sweep': 'a batch of rows of abandoned generations deleted',
  'client.mirror_write': 'rows of a page or of facts in a mirror, with how far that has come',
  'identity.change': 'a change of principals, roles or keys, with its facts and its epoch',
  'identity.note_use': 'days on which keys were used',
  'messaging.drop_outbox_day': 'a day of the outbox that is old and published dropped',
  'messaging.inbox': 'the effect of a fact at a consumer, with its row in the inbox',
  'messaging.prune_inbox': 'a batch of old rows of the inbox deleted',
  'messaging.relay_claim': 'partitions taken by a relay',
  'messaging.relay_epoch': 'the step of the stream’s epoch, by a relay that found facts missing',
  'messaging.relay_partitions': 'the cursors of partitions made',
  'messaging.relay_release': 'partitions given up by a relay that stops',
  'messaging.relay_save': 'how far a relay has come, and its leases',
  'postgres.make_partitions': 'partitions of days to come made',
  'stock.batch': 'a batch that was decided under locks',
  'stock.claim_body': 'the body of a command with several groups',
  'stock.claim_drains': 'tasks of draining taken by a replica',
  'stock.claim_tend_tasks': 'tasks of tending taken by a replica',
  'stock.feed_abandon': 'an upload that nobody goes on with failed',
  'stock.feed_begin': 'a feed and its staging table made',
  'stock.feed_claim': 'a staged feed taken by a worker',
  'stock.feed_decide': 'a waiting feed approved or rejected',
  'stock.feed_delta': 'a chunk of a delta applied, with the cursor',
  'stock.feed_fail': 'an upload refused as a whole, and its staging table gone',
  'stock.feed_finish': 'a page of exceptions that a feed ends closed; or a feed done, and its staging table gone',
  'stock.feed_gates': 'gates of SKUs that a feed names for the first time',
  'stock.feed_let_go': 'a feed given back by a worker that cannot go on',
  'stock.feed_piece': 'a piece of an upload staged',
  'stock.feed_prepare': 'a staged feed found to be unique, and completed',
  'stock.feed_received': 'an upload complete',
  'stock.feed_refuse': 'a row refused that the database does not take',
  'stock.feed_reset': 'a chunk of a reset applied, with the cursor',
  'stock.forget_commands': 'a batch of old effects of commands deleted',
  'stock.forget_exceptions': 'closed exceptions forgotten',
  'stock.forget_feeds': 'feeds that ended, or their refusals, forgotten',
  'stock.forget_inspections': 'inspections of which all units were judged forgotten',
  'stock.gates': 'gates of SKUs that a command names for the first time',
  'stock.inbound': 'a receipt, or lines of it, that are announced for the first time',
  'stock.optimistic': 'a batch of holds that was decided without locks',
  'stock.overdue_inspections': 'exceptions of units that wait too long for approval compared with them',
  'stock.put_off_tend_tasks': 'tasks of tending put off',
  'stock.search_drains': 'a search for promises that may not stay taken by a replica, or ended',
  'stock.search_waiting':
    'a slice of a search for those whom other rules let have what is free, taken by a replica or left',
  'stock.seek_drains': 'tasks of draining made for a slice of the SKUs',
  'stock.source_settings': 'how a source is read',
  'stock.sources': 'a source that is told under for the first time',
  'stock.wake_late_lines': 'tasks of lines that have become late',
  'stock.wake_tend_tasks': 'tasks of tending made due by a change of rules',
  'tasks.claim': 'due tasks taken by a replica',
  'tasks.end': 'a task ended, with what its kind changes besides',
  'tasks.put_off': 'a task put off after an attempt that failed',
  'tasks.turn_to_undo': 'a task refused or given up, to be undone from now on',
} as const satisfies Readonly<Record<string, string>>;

/** Planted bugs, each with what it makes wrong. */
export const PLANTED_BUGS = {
  'catalog.position_after_rows': 'the position of a snapshot is read after its rows',
  'client.mirror_cursor_first':
    'a mirror saves which page is next before the rows of the page before, in a commit of its own',
  'client.mirror_durable_late':
    'the durable that keeps the facts for a mirror is made only after its first page was read',
  'messaging.consumer_acks_first': 'a consumer acknowledges a fact before its effect is committed',
  'messaging.relay_passes_unacknowledged': 'the relay goes on past facts whose publishing failed',
  'stock.answers_unwritten':
    'holds are answered as granted although the database wrote nothing, since another had changed the stock',
  'stock.expiry_by_transaction_start': 'holds expire by the time at which the transaction began to wait for locks',
  'stock.feed_cursor_apart': 'the cursor of a delta feed is saved after its chunk, in a commit of its own',
  'stock.memory_ignores_min_version': 'reads from memory do not look at the version that the caller has seen',
  'stock.reset_counts_its_instant_twice': 'a reset adds events of the very instant at which it was counted',
  'stock.rules_before_locks': 'a batch is decided by the rules that were known before its locks were had',
} as const satisfies Readonly<Record<string, string>>;

export type CommitName = keyof typeof COMMITS;
export type PlantedBug = keyof typeof PLANTED_BUGS;

export const commitNames = Object.keys(COMMITS) as readonly CommitName[];
export const plantedBugs = Object.keys(PLANTED_BUGS) as readonly PlantedBug[];

/** Places at which something may be done. */
export const failpointNames: readonly string[] = commitNames.flatMap((name) => [
  `${name}.before_commit`,
  `${name}.after_commit`,
]);
