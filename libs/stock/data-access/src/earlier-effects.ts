/** What earlier requests with the same idempotency keys did. */
import type { MovementsResult, Reservation as ReservationView } from '@onepool/contracts';
import type pg from 'pg';
import type { Command, Keyed } from './command.ts';
import type { FirstAnswer } from './stored-reservations.ts';

/** What an earlier request with the same key did. */
export interface Effect {
  readonly bodyHash: Buffer;
  /** Null for a hold, whose first answer is made from `firstAnswer`. */
  readonly answer: ReservationView | MovementsResult | null;
  readonly firstAnswer: FirstAnswer | null;
}

export const keyOf = ({ client, id }: Pick<Keyed, 'client' | 'id'>): string => `${client}\u0000${id}`;

export const keysOf = (keyed: readonly Keyed[]): [string[], string[]] => [
  keyed.map(({ client }) => client),
  keyed.map(({ id }) => id),
];

export async function readEarlierCommands(
  client: pg.PoolClient,
  commands: readonly Command[],
): Promise<Map<string, Effect>> {
  const others = commands.filter((command) => command.kind === 'verb' || command.kind === 'movements');
  if (others.length === 0) return new Map();
  const { rows } = await client.query<{
    client: string;
    id: string;
    body_hash: Buffer;
    answer: ReservationView | MovementsResult;
  }>({
    name: 'earlier-commands',
    text: `SELECT c.client, c.id, c.body_hash, c.answer
             FROM unnest($1::text[], $2::text[]) AS k (client, id)
            CROSS JOIN LATERAL (SELECT * FROM command WHERE client = k.client AND id = k.id OFFSET 0) c`,
    values: keysOf(others),
  });
  return new Map(rows.map((row) => [keyOf(row), { bodyHash: row.body_hash, answer: row.answer, firstAnswer: null }]));
}
