import type { Migration } from '@onepool/platform-postgres';
import { CreateAvailability1763800000000 } from './1763800000000-create-availability.ts';
import { Feeds1763900000000 } from './1763900000000-feeds.ts';
import { Retention1764000000000 } from './1764000000000-retention.ts';
import { JsonAsTold1764100000000 } from './1764100000000-json-as-told.ts';
import { FewerChecks1764200000000 } from './1764200000000-fewer-checks.ts';
import { ShortRows1764300000000 } from './1764300000000-short-rows.ts';
import { FeedStages1764400000000 } from './1764400000000-feed-stages.ts';

export const migrations: readonly Migration[] = [
  CreateAvailability1763800000000,
  Feeds1763900000000,
  Retention1764000000000,
  JsonAsTold1764100000000,
  FewerChecks1764200000000,
  ShortRows1764300000000,
  FeedStages1764400000000,
];
