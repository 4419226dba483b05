import { commitPoint } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import pg from 'pg';
import type { FactEvent } from '../cloud-event.ts';
import type { ConsumerOptions } from './consumer-options.ts';

const INBOX = commitPoint('messaging.inbox');

/**
 * Records the event in the inbox and applies its effect in one transaction, so that either both or neither remain,
 * however often the event is delivered and to however many replicas: the second insert of one id waits for the first.
 */
export async function handleOnce(
  settings: Pick<ConsumerOptions, 'pool' | 'schema' | 'durable' | 'handler'>,
  event: FactEvent,
): Promise<'effect' | 'duplicate'> {
  return inTransaction(settings.pool, INBOX, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO ${pg.escapeIdentifier(settings.schema)}.inbox (consumer, event_id) VALUES ($1, $2)
       ON CONFLICT DO NOTHING`,
      [settings.durable, event.id],
    );
    if (rowCount === 0) return 'duplicate';
    await settings.handler(event, client);
    return 'effect';
  });
}
