/**
 * One row of UCI Online Retail, read as published: a sale of something, a return, a write-off, or a row that a replay
 * of stock leaves out (postage, fees, vouchers, accounting entries).
 */
export const TRACE_COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

export type InvoiceKind = 'order' | 'return' | 'write_off';

export type TraceLine =
  | {
      readonly kind: InvoiceKind;
      readonly invoice: string;
      readonly stockCode: string;
      /** Units, always positive; `kind` says which way they went. */
      readonly quantity: number;
      readonly atMs: number;
    }
  | { readonly kind: 'dropped'; readonly reason: 'not a product' | 'accounting invoice' | 'zero quantity' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Codes that are charges, samples or corrections instead of something that stands on a shelf. */
const NOT_PRODUCTS = new Set(['POST', 'DOT', 'M', 'D', 'C2', 'S', 'B', 'CRUK', 'AMAZONFEE', 'BANK CHARGES']);
/** A run's prefix goes before the code, and the whole must still be a SKU of 64 characters. */
const STOCK_CODE = /^[A-Z0-9][A-Z0-9._:-]{0,39}$/;
const INVOICE = /^[A-Z]?\d{1,12}$/;

const malformed = (reason: string): TraceLine => ({ kind: 'malformed', reason });

/** Reads one row whose cells stand in the order of `TRACE_COLUMNS`. Pure; never throws. */
export const readTraceLine = (cells: readonly string[], quantityUnitsMax: number): TraceLine => {
  if (cells.length !== TRACE_COLUMNS.length) return malformed(`${cells.length} columns instead of 8`);
  const [invoiceCell = '', codeCell = '', , quantityCell = '', dateCell = ''] = cells;
  const invoice = invoiceCell.trim().toUpperCase();
  if (!INVOICE.test(invoice)) return malformed('InvoiceNo is not an invoice number');
  const quantityText = quantityCell.trim();
  if (!/^[+-]?\d{1,9}$/.test(quantityText)) return malformed('Quantity is not a whole number');
  const atMs = readTraceDate(dateCell.trim());
  if (atMs === undefined) return malformed('InvoiceDate is not a date');

  if (invoice.startsWith('A')) return { kind: 'dropped', reason: 'accounting invoice' };
  const stockCode = codeCell.trim().toUpperCase();
  if (NOT_PRODUCTS.has(stockCode) || stockCode.startsWith('GIFT_')) return { kind: 'dropped', reason: 'not a product' };
  const signed = Number(quantityText);
  if (signed === 0) return { kind: 'dropped', reason: 'zero quantity' };
  if (!STOCK_CODE.test(stockCode)) return malformed('StockCode cannot be a SKU');
  const quantity = Math.abs(signed);
  if (quantity > quantityUnitsMax) {
    return malformed(`Quantity is above ${quantityUnitsMax.toLocaleString('en-US')} units`);
  }
  const cancelled = invoice.startsWith('C');
  if (cancelled && signed > 0) return malformed('positive Quantity on a cancellation');
  return { kind: cancelled ? 'return' : signed < 0 ? 'write_off' : 'order', invoice, stockCode, quantity, atMs };
};

/** Milliseconds since the epoch, read as UTC, of `2010-12-01 08:26[:00]` or `12/1/2010 8:26`: both were published. */
export const readTraceDate = (text: string): number | undefined => {
  const iso = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (iso) return utc(iso[1], iso[2], iso[3], iso[4], iso[5], iso[6]);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  return american ? utc(american[3], american[1], american[2], american[4], american[5], american[6]) : undefined;
};

const utc = (...parts: readonly (string | undefined)[]): number | undefined => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const survives = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  return survives && minute < 60 && second < 60 ? date.getTime() : undefined;
};
