import type { Fault } from '../fault.ts';
import { cutAfterCommit } from './cut-after-commit.ts';
import { killConsumer } from './kill-consumer.ts';
import { killNats } from './kill-nats.ts';
import { killPostgres } from './kill-postgres.ts';
import { killReplica } from './kill-replica.ts';
import { loseStream } from './lose-stream.ts';
import { stopLockHolder } from './stop-lock-holder.ts';

/** Every fault of the drill, in the order in which they are caused. */
export const FAULTS: readonly Fault[] = [
  killReplica,
  killPostgres,
  killNats,
  loseStream,
  stopLockHolder,
  cutAfterCommit,
  killConsumer,
];
