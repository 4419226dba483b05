import { describe, expect, it } from '@jest/globals';
import { readTraceDate, readTraceLine } from './trace-line.ts';

const cells = (invoice: string, code: string, quantity: string, date = '2010-12-01 08:26:00') => [
  invoice,
  code,
  'A THING',
  quantity,
  date,
  '2.55',
  '17850',
  'United Kingdom',
];

describe('readTraceLine', () => {
  it.each([
    ['536365', '85123a', '6', { kind: 'order', stockCode: '85123A', quantity: 6 }],
    ['C536379', '22556', '-1', { kind: 'return', stockCode: '22556', quantity: 1 }],
    ['536589', '21777', '-10', { kind: 'write_off', stockCode: '21777', quantity: 10 }],
    ['536365', 'POST', '1', { kind: 'dropped', reason: 'not a product' }],
    ['536365', 'm', '1', { kind: 'dropped', reason: 'not a product' }],
    ['536365', 'Bank Charges', '1', { kind: 'dropped', reason: 'not a product' }],
    ['536365', 'gift_0001_20', '1', { kind: 'dropped', reason: 'not a product' }],
    ['A563185', '22556', '1', { kind: 'dropped', reason: 'accounting invoice' }],
    ['536365', '22556', '0', { kind: 'dropped', reason: 'zero quantity' }],
    ['536365', '22556', '1.5', { kind: 'malformed', reason: 'Quantity is not a whole number' }],
    ['536365', '22556', '1000001', { kind: 'malformed', reason: 'Quantity is above 1,000,000 units' }],
    ['C536365', '22556', '1', { kind: 'malformed', reason: 'positive Quantity on a cancellation' }],
    ['536365', 'a b', '1', { kind: 'malformed', reason: 'StockCode cannot be a SKU' }],
    ['536 365', '22556', '1', { kind: 'malformed', reason: 'InvoiceNo is not an invoice number' }],
  ])('reads invoice %s, code %s, quantity %s', (invoice, code, quantity, expected) => {
    expect(readTraceLine(cells(invoice, code, quantity), 1_000_000)).toMatchObject(expected);
  });

  it('reads both published forms of a date, and refuses days that do not exist', () => {
    expect(readTraceDate('2010-12-01 08:26:00')).toBe(Date.UTC(2010, 11, 1, 8, 26));
    expect(readTraceDate('12/1/2010 8:26')).toBe(Date.UTC(2010, 11, 1, 8, 26));
    expect(readTraceDate('2010-02-30 08:26:00')).toBeUndefined();
    expect(readTraceLine(cells('536365', '22556', '1', 'yesterday'), 1_000_000)).toMatchObject({ kind: 'malformed' });
  });
});
