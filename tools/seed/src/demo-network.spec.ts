import { describe, expect, it } from '@jest/globals';
import { type NodeType, gs1CheckDigit } from '@onepool/contracts';
import { demoNetwork } from './demo-network.ts';

describe('the demo network', () => {
  const network = demoNetwork();
  const { nodes, skus, channels, thresholds, receipts } = network;
  const codesOf = (type: NodeType): Set<string> =>
    new Set(nodes.filter((node) => node.type === type).map((node) => node.node));

  it('has 24 stores, 3 warehouses, 1 3PL, 2 drop-ship suppliers, 2,000 SKUs and 4 channels', () => {
    const sizes = (['store', 'warehouse', '3pl', 'dropship'] as const).map((type) => codesOf(type).size);
    expect(sizes).toEqual([24, 3, 1, 2]);
    expect(skus).toHaveLength(2_000);
    expect(channels.map((channel) => channel.channel)).toEqual(['web', 'marketplace', 'pos', 'endless-aisle']);
  });

  it('is the same at each call', () => {
    expect(demoNetwork()).toEqual(network);
  });

  it('names each thing once', () => {
    const repeated = (values: readonly (string | undefined)[]): number => values.length - new Set(values).size;
    expect(repeated(nodes.map((node) => node.node))).toBe(0);
    expect(repeated(skus.map((sku) => sku.sku))).toBe(0);
    expect(repeated([...skus.map((sku) => sku.gtin), ...nodes.map((node) => node.gln)])).toBe(0);
    expect(repeated(receipts.map(({ sku, node }) => `${sku} ${node}`))).toBe(0);
  });

  it('numbers goods and places with valid GS1 check digits', () => {
    const numbers = [...skus.map((sku) => sku.gtin ?? ''), ...nodes.map((node) => node.gln ?? '')];
    const isValid = (number: string): boolean =>
      /^\d{13}$/.test(number) && gs1CheckDigit(number.slice(0, 12)) === number.slice(12);
    expect(numbers.filter((number) => !isValid(number))).toEqual([]);
  });

  it('lies in the continental US, in time zones that exist', () => {
    const isInside = (lat = 0, lng = 0): boolean => lat > 24 && lat < 50 && lng > -125 && lng < -66;
    expect(nodes.filter((node) => !isInside(node.lat, node.lng))).toEqual([]);
    for (const { timeZone } of nodes) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
  });

  it('gives every SKU units, most of them in warehouses and a share in stores', () => {
    const skusAt = (type: NodeType): number => {
      const at = codesOf(type);
      return new Set(receipts.filter(({ node }) => at.has(node)).map(({ sku }) => sku)).size;
    };
    expect(new Set(receipts.map(({ sku }) => sku)).size).toBe(skus.length);
    expect(skusAt('warehouse') / skus.length).toBeGreaterThan(0.8);
    expect(skusAt('store') / skus.length).toBeGreaterThan(0.3);
    expect(skusAt('store') / skus.length).toBeLessThan(0.4);
  });

  it('refers only to what it contains', () => {
    const knownNodes = new Set(nodes.map((node) => node.node));
    const knownChannels = new Set(channels.map((channel) => channel.channel));
    expect(receipts.filter(({ node }) => !knownNodes.has(node))).toEqual([]);
    expect(thresholds.filter(({ node }) => node !== undefined && !knownNodes.has(node))).toEqual([]);
    expect(thresholds.filter(({ channel }) => channel !== undefined && !knownChannels.has(channel))).toEqual([]);
  });
});
