import type { InvoiceKind } from './trace-line.ts';

export interface InvoiceLine {
  readonly stockCode: string;
  readonly quantity: number;
}
export interface Invoice {
  readonly invoice: string;
  readonly kind: InvoiceKind;
  readonly atMs: number;
  /** As published: several lines of one stock code stay several. */
  readonly lines: InvoiceLine[];
}

/** The first `orders` orders of the trace, with the returns and write-offs that lie among them. */
export const firstOrders = (invoices: readonly Invoice[], orders: number): readonly Invoice[] => {
  let seen = 0;
  const end = invoices.findIndex(({ kind }) => kind === 'order' && ++seen > orders);
  return end === -1 ? invoices : invoices.slice(0, end);
};
