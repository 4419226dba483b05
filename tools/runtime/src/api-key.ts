import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeWhole } from './kept-file.ts';

/** The development API key of this home, made on first use: `opk_` and 32 random bytes, readable by its owner only. */
export function readOrCreateApiKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = `opk_${randomBytes(32).toString('base64url')}`;
  writeWhole(file, `${key}\n`);
  return key;
}
