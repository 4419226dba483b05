/** What earlier requests with the same idempotency keys did. */
import type { MovementsResult, Reservation as ReservationView } from '@onepool/contracts';
import type pg from 'pg';
import type { Command, HoldCommand, Keyed } from '../requests/command.ts';
import type { FirstAnswer } from './stored-reservations.ts';

/** What an earlier request with the same key did. */
export interface Effect {
  readonly bodyHash: Buffer;
  /** Null for a hold, whose first answer is made from `firstAnswer`. */
  readonly answer: ReservationView | MovementsResult | null;
  readonly firstAnswer: FirstAnswer | null;
  /** Who asked. The id of a hold is its owner's, and somebody else may have used it. */
  readonly actor: string;
}

/** The idempotency key of a command. */
export const commandKey = ({ actor, id }: Pick<Keyed, 'actor' | 'id'>): string => `${actor}\u0000${id}`;
/** That of a hold, apart from those of other commands. */
export const holdKey = ({ owner, id }: Pick<HoldCommand, 'owner' | 'id'>): string => `hold\u0000${owner}\u0000${id}`;

/** Owners and ids of holds, as arrays. */
export const holdKeysOf = (holds: readonly HoldCommand[]): [string[], string[]] => [
  holds.map(({ owner }) => owner),
  holds.map(({ id }) => id),
];

export async function readEarlierCommands(
  client: pg.PoolClient,
  commands: readonly Command[],
): Promise<Map<string, Effect>> {
  const others = commands.filter((command) => command.kind === 'verb' || command.kind === 'movements');
  if (others.length === 0) return new Map();
  const { rows } = await client.query<{
    actor: string;
    id: string;
    body_hash: Buffer;
    answer: ReservationView | MovementsResult;
  }>({
    name: 'earlier-commands',
    text: `SELECT c.actor, c.id, c.body_hash, c.answer
             FROM unnest($1::text[], $2::text[]) AS k (actor, id)
            CROSS JOIN LATERAL (SELECT * FROM command WHERE actor = k.actor AND id = k.id OFFSET 0) c`,
    values: [others.map(({ actor }) => actor), others.map(({ id }) => id)],
  });
  return new Map(
    rows.map((row) => {
      const { body_hash: bodyHash, answer, actor } = row;
      return [commandKey(row), { bodyHash, answer, firstAnswer: null, actor }];
    }),
  );
}
