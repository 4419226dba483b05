import { isPortFree } from '@onepool/platform-local-servers';

const FIRST_BASE = 24_000;
const BLOCK = 50;
const BLOCKS = 400;
/** What a runtime with two replicas of availability listens on, relative to its base. */
const OFFSETS = [1, 10, 11, 21];

/** A port base whose ports are all free now. Different processes begin to look at different places. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < BLOCKS; attempt += 1) {
    const base = FIRST_BASE + ((process.pid + attempt) % BLOCKS) * BLOCK;
    const free = await Promise.all(OFFSETS.map((offset) => isPortFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`No block of free ports between ${FIRST_BASE} and ${FIRST_BASE + BLOCK * BLOCKS}.`);
}
