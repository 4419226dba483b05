/** A row of the stock table as the driver gives it. */
import type { StockRow } from '@onepool/stock-domain';

export interface StockRecord {
  sku_key: number;
  node_key: number;
  available: number;
  committed: number;
  reserved: number;
  safety_stock: number;
  damaged: number;
  quality_control: number;
  shortfall: number;
  overdrawn: number;
}

export const toStockRow = (row: Omit<StockRecord, 'sku_key'>): StockRow => ({
  node: row.node_key,
  available: row.available,
  committed: row.committed,
  reserved: row.reserved,
  safetyStock: row.safety_stock,
  damaged: row.damaged,
  qualityControl: row.quality_control,
  shortfall: row.shortfall,
  overdrawn: row.overdrawn,
});
