import { jetstream } from '@nats-io/jetstream';
import {
  CATALOG_SCOPE,
  CATALOG_SKU_CHANGED,
  type CatalogSkuChanged,
  type SnapshotPage,
  factStream,
  type Sku,
} from '@onepool/contracts';
import { connectNats, parseMessage, parsePosition } from '@onepool/platform-messaging';
import { until } from '../../until.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

const STREAM = factStream(CATALOG_SCOPE).name;
const SKUS = 500;
const WRITERS = 4;
const PAGES = 60;

/** A snapshot is read while its rows change; then each fact up to its position has to be in it. */
export const positionAfterRows: BugTrial = {
  bug: 'catalog.position_after_rows',
  replicas: 1,
  look: async ({ system, shop }) => {
    const skus = Array.from({ length: SKUS }, (_, index) => `${shop.prefix}snap-${String(index).padStart(4, '0')}`);
    await shop.putSkus(...skus);
    let isOver = false;
    const writer = async (_: unknown, index: number): Promise<void> => {
      for (let turn = index; !isOver; turn += WRITERS) {
        const changed = skus.filter((__, place) => place % WRITERS === index).slice(0, 20);
        const body = { skus: changed.map((sku) => ({ sku, title: `turn ${turn}` })) };
        await shop.demand((onepool) => onepool.putSkus({ body }));
      }
    };
    const writers = Array.from({ length: WRITERS }, writer);
    const pages: SnapshotPage<Sku>[] = [];
    try {
      for (let page = 0; page < PAGES; page += 1) {
        pages.push(await shop.demand((onepool) => onepool.snapshotSkus({ query: { limit: 1_000 } })));
      }
    } finally {
      isOver = true;
      await Promise.all(writers);
    }
    const facts = await factsUpTo(
      system.natsUrl,
      Math.max(...pages.map(({ position }) => parsePosition(position).sequence)),
    );
    const missing = pages.map((page) => missingFrom(page, facts)).reduce((sum, one) => sum + one, 0);
    return ifAny(missing, `rows of ${PAGES} snapshots were older than a fact that their position has in it`);
  },
};

interface Heard {
  readonly sequence: number;
  readonly data: CatalogSkuChanged;
}

/** Every fact about SKUs that the stream has up to a sequence. */
async function factsUpTo(url: string, sequence: number): Promise<readonly Heard[]> {
  const connection = await connectNats({ url, name: 'faults-snapshots' });
  try {
    const consumer = await jetstream(connection).consumers.get(STREAM, {
      filter_subjects: CATALOG_SKU_CHANGED.subject,
    });
    const facts: Heard[] = [];
    await until('the stream to be read', async () => {
      for await (const message of await consumer.fetch({ max_messages: 5_000, expires: 1_000 })) {
        facts.push({ sequence: message.seq, data: parseMessage(message).data as CatalogSkuChanged });
      }
      const { last_seq } = (
        await jetstream(connection)
          .jetstreamManager(false)
          .then((manager) => manager.streams.info(STREAM))
      ).state;
      return (facts.at(-1)?.sequence ?? 0) >= Math.min(sequence, last_seq) || undefined;
    });
    return facts;
  } finally {
    await connection.close();
  }
}

function missingFrom({ position, items }: SnapshotPage<Sku>, facts: readonly Heard[]): number {
  const { sequence } = parsePosition(position);
  const told = new Map(facts.filter((fact) => fact.sequence <= sequence).map(({ data }) => [data.key, data.toVersion]));
  return items.filter(({ key, version }) => (told.get(key) ?? 0) > version).length;
}
