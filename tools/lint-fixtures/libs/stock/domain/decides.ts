// allowed
import assert from 'node:assert';

export function dueAt(now: Date, seconds: number): Date {
  assert(Number.isInteger(seconds));
  return new Date(now.getTime() + seconds * 1000);
}
