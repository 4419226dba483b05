import type { Group } from '../reporting/keys.ts';
import type { Benchmark } from './benchmark.ts';
import { reserve } from './reserve.ts';

/** A group that is missing here has no benchmark yet; its figures are told as not built. */
export const BENCHMARKS: Readonly<Partial<Record<Group, Benchmark>>> = { reserve };
