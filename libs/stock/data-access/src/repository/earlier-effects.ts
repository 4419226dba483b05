/** What earlier requests with the same idempotency keys did. */
import type pg from 'pg';
import type { AllocateCommand, Command, HoldCommand, Keyed, StoredAnswer } from '../requests/command.ts';
import type { FirstAnswer } from './stored-reservations.ts';

/** What an earlier request with the same key did. */
export interface Effect {
  /** Of a hold: it was undone before it was asked for. */
  readonly isTombstone?: boolean;
  readonly bodyHash: Buffer;
  /** Null for a hold, whose first answer is made from `firstAnswer`. */
  readonly answer: StoredAnswer | null;
  readonly firstAnswer: FirstAnswer | null;
  /** Who asked. The id of a hold is its owner's, and somebody else may have used it. */
  readonly actor: string;
}

/** The idempotency key of a command: of one with groups, each has its own. */
export const commandKey = ({
  actor,
  id,
  group = 0,
}: Pick<Keyed, 'actor' | 'id'> & { readonly group?: number }): string => `${actor}\u0000${id}\u0000${group}`;
/** Which of a command's groups it is; a command that has none is the only one. */
export const groupOf = (command: Keyed | AllocateCommand): number => ('group' in command ? command.group : 0);

/** That of a hold, apart from those of other commands. */
export const holdKey = ({ owner, id }: Pick<HoldCommand, 'owner' | 'id'>): string => `hold\u0000${owner}\u0000${id}`;

/** A reservation as a command names it that makes it, or makes its tombstone. */
export const namedToBeMade = (command: Command): readonly Pick<HoldCommand, 'owner' | 'id'>[] => {
  if (command.kind === 'tombstone') return [{ owner: command.owner, id: command.reservation }];
  return command.kind === 'hold' ? [command] : [];
};

/** Owners and ids of holds, as arrays. */
export const holdKeysOf = (holds: readonly Pick<HoldCommand, 'owner' | 'id'>[]): [string[], string[]] => [
  holds.map(({ owner }) => owner),
  holds.map(({ id }) => id),
];

export async function readEarlierCommands(
  client: pg.PoolClient,
  commands: readonly Command[],
): Promise<Map<string, Effect>> {
  const others = commands.filter(
    (command) =>
      command.kind === 'verb' ||
      command.kind === 'allocate' ||
      command.kind === 'movements' ||
      command.kind === 'receive' ||
      command.kind === 'judge' ||
      command.kind === 'ship',
  );
  if (others.length === 0) return new Map();
  const { rows } = await client.query<{
    actor: string;
    id: string;
    group: number;
    body_hash: Buffer;
    answer: StoredAnswer;
  }>({
    name: 'earlier-commands',
    text: `SELECT c.actor, c.id, c.group_no AS group, c.body_hash, c.answer
             FROM unnest($1::text[], $2::text[], $3::smallint[]) AS k (actor, id, group_no)
            CROSS JOIN LATERAL (SELECT * FROM command WHERE actor = k.actor AND id = k.id AND group_no = k.group_no OFFSET 0) c`,
    values: [others.map(({ actor }) => actor), others.map(({ id }) => id), others.map(groupOf)],
  });
  return new Map(
    rows.map((row) => {
      const { body_hash: bodyHash, answer, actor } = row;
      return [commandKey(row), { bodyHash, answer, firstAnswer: null, actor }];
    }),
  );
}
