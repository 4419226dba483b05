/** Inspections as stored. */
import { INSPECTION_ORIGINS } from '@onepool/contracts';
import type { Inspection, JudgedUnits, NodeKey, SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Command } from '../requests/command.ts';

export type InspectionOrigin = (typeof INSPECTION_ORIGINS)[number];
export const originCode = (origin: InspectionOrigin): number => INSPECTION_ORIGINS.indexOf(origin);

/** What is open, and what has become of the others. */
export interface StoredInspection extends Inspection, JudgedUnits {
  readonly missing: number;
}

/** What never changes of it. */
export type InspectionPlace = Pick<Inspection, 'sku' | 'node'>;

export const inspectionId = (key: number): string => `ins_${key}`;
/** Of a well-formed id; any other names none. */
export const inspectionKey = (id: string): number => Number(id.slice('ins_'.length));

/** Where units lie, by the keys of their inspections; without those that do not exist. */
export async function findInspections(
  pool: pg.Pool,
  keys: readonly number[],
): Promise<ReadonlyMap<number, InspectionPlace>> {
  const { rows } = await pool.query<{ key: number; sku: SkuKey; node: NodeKey }>({
    name: 'find-inspections',
    text: `SELECT inspection_key AS key, sku_key AS sku, node_key AS node FROM inspection
            WHERE inspection_key = ANY($1::bigint[])`,
    values: [keys],
  });
  return new Map(rows.map(({ key, ...place }) => [key, place]));
}

export interface OpenInspection extends StoredInspection {
  readonly key: number;
}

/** Those of these SKUs with units that nobody has judged, oldest first. The caller holds their gates. */
export async function readOpenInspections(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<readonly OpenInspection[]> {
  if (skus.length === 0) return [];
  const { rows } = await client.query<OpenInspection>({
    name: 'open-inspections',
    text: `SELECT inspection_key AS key, sku_key AS sku, node_key AS node, open, approved, rejected, missing
             FROM inspection WHERE sku_key = ANY($1::int[]) AND open > 0 ORDER BY inspection_key`,
    values: [[...new Set(skus)]],
  });
  return rows;
}

/** Those that commands judge. The caller holds the gates of their SKUs. */
export async function readInspections(
  client: pg.PoolClient,
  commands: readonly Command[],
): Promise<ReadonlyMap<number, StoredInspection>> {
  const keys = commands.flatMap((command) => (command.kind === 'judge' ? [command.inspection] : []));
  if (keys.length === 0) return new Map();
  const { rows } = await client.query<StoredInspection & { key: number }>({
    name: 'inspections',
    text: `SELECT inspection_key AS key, sku_key AS sku, node_key AS node, open, approved, rejected, missing
             FROM inspection WHERE inspection_key = ANY($1::bigint[])`,
    values: [keys],
  });
  return new Map(rows.map(({ key, ...inspection }) => [key, inspection]));
}
