/** Lines that bring units, as stored: what is kept of them besides what the book has, and how they get their keys. */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { type InboundLine, type NodeKey, type SkuKey, type SupplyKey, accept } from '@onepool/stock-domain';
import type pg from 'pg';
import { INBOUND_KINDS } from '../stock-columns.ts';
import type { Command } from '../requests/command.ts';
import { type Answer, refuse } from '../requests/refusal.ts';

const ANNOUNCE = commitPoint('stock.inbound');

/** Units, and when the line was closed (ms). Of a transfer that was shipped also the key of its row. */
export interface StoredInboundLine {
  readonly expected: number;
  readonly received: number;
  readonly lost: number;
  readonly supplyKey: SupplyKey | null;
  readonly dueAt: number | null;
  readonly closedAt: number | null;
}

export async function readInboundLines(
  client: pg.PoolClient,
  commands: readonly Command[],
): Promise<Map<number, StoredInboundLine>> {
  const details = commands.flatMap(linesOf);
  if (details.length === 0) return new Map();
  const { rows } = await client.query<StoredInboundLine & { detail: number }>({
    name: 'inbound-lines',
    text: `SELECT detail_key AS detail, expected, received, lost, supply_key AS "supplyKey", round(extract(epoch FROM due_at) * 1000)::bigint AS "dueAt",
                  round(extract(epoch FROM closed_at) * 1000)::bigint AS "closedAt"
             FROM inbound_line WHERE detail_key = ANY($1::bigint[])`,
    values: [details],
  });
  return new Map(rows.map(({ detail, ...line }) => [detail, line]));
}

const linesOf = (command: Command): readonly number[] =>
  command.kind === 'expect' || command.kind === 'receive' || command.kind === 'ship'
    ? command.lines.flatMap(({ detail }) => detail ?? [])
    : [];

/** A line as whoever announces it names it. */
export interface NamedLine {
  readonly line: string;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** The node that it leaves; null of a receipt. */
  readonly from: NodeKey | null;
}

export interface NamedInbound {
  readonly brings: InboundLine['brings'];
  readonly actor: string;
  readonly id: string;
}

/**
 * Keys of the lines, in their order; made in a commit of its own when one is named for the first time, as gates are. Refuses lines that
 * are of another SKU or node by now, and an id that is a transfer's where a receipt is announced, or the reverse.
 */
export async function keysOfLines(
  pool: pg.Pool,
  named: NamedInbound,
  lines: readonly NamedLine[],
): Promise<Answer<readonly number[]>> {
  let known = await findLines(pool, named, lines);
  if (known.some(({ detail }) => detail === null)) {
    await makeLines(pool, named, lines);
    known = await findLines(pool, named, lines);
  }
  const keys: number[] = [];
  for (const [index, { detail, sku, node, from, kind }] of known.entries()) {
    const line = lines[index];
    if (kind !== null && kind !== INBOUND_KINDS.indexOf(named.brings)) return otherKind(named);
    if (detail === null || !line) throw new Error('Broken invariant: a line was made and is not there');
    if (sku !== line.sku || node !== line.node || from !== line.from)
      return refuse('inbound.line_differs', { line: line.line });
    keys.push(detail);
  }
  return accept(keys);
}

const otherKind = ({ id }: NamedInbound) => refuse('inbound.other_kind', { inbound: id });

interface FoundLine {
  /** Of whatever has the id; null if nothing has. */
  kind: number | null;
  detail: number | null;
  sku: SkuKey;
  node: NodeKey;
  from: NodeKey | null;
}

async function findLines(pool: pg.Pool, { actor, id }: NamedInbound, lines: readonly NamedLine[]) {
  const { rows } = await pool.query<FoundLine>({
    name: 'find-inbound-lines',
    text: `SELECT i.kind, l.detail_key AS detail, l.sku_key AS sku, l.node_key AS node, l.from_node AS from
             FROM unnest($3::text[]) WITH ORDINALITY AS k (line, place)
             LEFT JOIN inbound i ON i.actor = $1 AND i.id = $2
             LEFT JOIN inbound_line l ON l.inbound_key = i.inbound_key AND l.line = k.line ORDER BY k.place`,
    values: [actor, id, lines.map(({ line }) => line)],
  });
  return rows;
}

/** A line that exists stays as it is. */
async function makeLines(
  pool: pg.Pool,
  { brings, actor, id }: NamedInbound,
  lines: readonly NamedLine[],
): Promise<void> {
  const kind = INBOUND_KINDS.indexOf(brings);
  const header = 'INSERT INTO inbound (kind, actor, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
  await committing(ANNOUNCE, () => pool.query(header, [kind, actor, id]));
  const insert = `
    INSERT INTO inbound_line (inbound_key, kind, line, sku_key, node_key, from_node)
    SELECT i.inbound_key, i.kind, x.line, x.sku, x.node, x.from_node
      FROM inbound i CROSS JOIN unnest($4::text[], $5::int[], $6::int[], $7::int[]) AS x (line, sku, node, from_node)
     WHERE i.kind = $1 AND i.actor = $2 AND i.id = $3 ORDER BY x.line
    ON CONFLICT (inbound_key, line) DO NOTHING`;
  const columns = [
    lines.map(({ line }) => line),
    lines.map(({ sku }) => sku),
    lines.map(({ node }) => node),
    lines.map(({ from }) => from),
  ];
  await committing(ANNOUNCE, () => pool.query(insert, [kind, actor, id, ...columns]));
}

export interface AnnouncedLine {
  readonly detail: number;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Of a transfer: promised units that are on their way with it, as of now. */
  readonly riding: number;
}

/** Lines of an announced receipt or of a transfer by their ids; null if there is neither. */
export async function findAnnounced(
  pool: pg.Pool,
  owner: string,
  id: string,
): Promise<ReadonlyMap<string, AnnouncedLine> | null> {
  const { rows } = await pool.query<AnnouncedLine & { line: string }>({
    name: 'announced-lines',
    text: `SELECT l.line, l.detail_key AS detail, l.sku_key AS sku, l.node_key AS node,
                  coalesce((SELECT s.committed FROM supply s
                             WHERE i.kind = 1 AND s.sku_key = l.sku_key AND s.node_key = l.node_key AND s.kind = 1 AND s.detail_key = l.detail_key), 0) AS riding
             FROM inbound i JOIN inbound_line l USING (inbound_key) WHERE i.actor = $1 AND i.id = $2`,
    values: [owner, id],
  });
  return rows.length === 0 ? null : new Map(rows.map(({ line, ...one }) => [line, one]));
}
