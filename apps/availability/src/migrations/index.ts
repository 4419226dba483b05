import type { Migration } from '@onepool/platform-postgres';
import { CreateAvailability1763800000000 } from './1763800000000-create-availability.ts';

export const migrations: readonly Migration[] = [CreateAvailability1763800000000];
