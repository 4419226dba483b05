/** Which reservation an order has already. */
import type { Controller } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Command } from '../requests/command.ts';

export interface AttachedReservation {
  readonly key: number;
  readonly owner: string;
  readonly id: string;
}

export const controllerKey = ({ actor, order }: Controller): string => `${actor}\u0000${order}`;

const attachedBy = (command: Command): readonly Controller[] =>
  command.kind === 'verb' && command.verb.name === 'attach' && command.verb.controller ? [command.verb.controller] : [];

export async function readControllers(
  client: pg.PoolClient,
  commands: readonly Command[],
): Promise<Map<string, AttachedReservation>> {
  const asked = commands.flatMap(attachedBy);
  if (asked.length === 0) return new Map();
  const { rows } = await client.query<AttachedReservation & { actor: string; order_id: string }>({
    name: 'controllers',
    text: `SELECT c.actor, c.order_id, c.reservation_key AS key, r.owner, r.id
             FROM unnest($1::text[], $2::text[]) AS k (actor, order_id)
             JOIN controller c USING (actor, order_id) JOIN reservation r USING (reservation_key)`,
    values: [asked.map(({ actor }) => actor), asked.map(({ order }) => order)],
  });
  return new Map(
    rows.map(({ actor, order_id: order, key, owner, id }) => [controllerKey({ actor, order }), { key, owner, id }]),
  );
}
