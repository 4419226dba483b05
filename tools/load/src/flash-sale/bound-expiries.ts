/**
 * The client knows when its holds expire: no later than their time to live after the answer that granted them. From then
 * on the units have to be there for others, however late the system tells of the expiry. Without this bound a system that
 * keeps overdue units to itself would never be caught at it.
 */
import type { HoldRecord, MoveFact } from '@onepool/simulator-domain';

/** Moves in time no re-back, only expiries, and those only forward. */
export function boundExpiries(
  moves: readonly MoveFact[],
  holds: readonly HoldRecord[],
  expiresInSeconds: number,
): MoveFact[] {
  const overdueAtMs = new Map(holds.map(({ id, interval }) => [id, interval.untilMs + expiresInSeconds * 1_000]));
  return moves.map((move) => {
    if (move.to !== undefined) return move;
    const latestMs = overdueAtMs.get(move.reservation) ?? Infinity;
    return { ...move, receivedAtMs: Math.min(move.receivedAtMs, latestMs) };
  });
}
