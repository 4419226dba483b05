import type { Channel, ChannelType, Node, NodeType, Threshold } from '@onepool/contracts';
import { gs1Number } from './gs1.ts';
import { DROPSHIP_PLACES, STORE_PLACES, THIRD_PARTY_PLACES, WAREHOUSE_PLACES, type Place } from './us-places.ts';

/** Serial numbers of GLNs start here, so that they never meet those of GTINs. */
const GLN_SERIAL_START = 90_000;

const kinds: readonly { type: NodeType; label: string; places: readonly Place[]; dailyCapacity: number }[] = [
  { type: 'store', label: 'Store', places: STORE_PLACES, dailyCapacity: 60 },
  { type: 'warehouse', label: 'Warehouse', places: WAREHOUSE_PLACES, dailyCapacity: 5_000 },
  { type: '3pl', label: '3PL', places: THIRD_PARTY_PLACES, dailyCapacity: 2_000 },
  { type: 'dropship', label: 'Supplier', places: DROPSHIP_PLACES, dailyCapacity: 400 },
];

const codeOf = (type: NodeType, { city, state }: Place): string =>
  `${type}-${city}-${state}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/** The demo network's places: 24 stores, 3 warehouses, 1 3PL and 2 drop-ship suppliers. */
export function demoNodes(): Node[] {
  const nodes = kinds.flatMap(({ type, label, places, dailyCapacity }) =>
    places.map((place): Node => ({
      node: codeOf(type, place),
      name: `${label} ${place.city} ${place.state}`,
      type,
      lat: place.lat,
      lng: place.lng,
      timeZone: place.timeZone,
      dailyCapacity,
    })),
  );
  return nodes.map((node, index) => ({ ...node, gln: gs1Number(GLN_SERIAL_START + index) }));
}

/** Four ways to sell, each served by other kinds of node. */
export function demoChannels(): Channel[] {
  return [
    channelOf('web', 'Web shop', 'web', ['store', 'warehouse', '3pl', 'dropship']),
    channelOf('marketplace', 'Marketplace', 'marketplace', ['warehouse', '3pl']),
    channelOf('pos', 'Point of sale', 'pos', ['store']),
    channelOf('endless-aisle', 'Endless aisle', 'endless_aisle', ['store', 'warehouse', '3pl']),
  ];
}

const channelOf = (channel: string, name: string, type: ChannelType, nodeTypes: NodeType[]): Channel => ({
  channel,
  name,
  type,
  nodeTypes,
  nodes: 'all',
});

/** The last unit on a store's shelf is often not there, so the web does not sell it; the marketplace keeps a distance. */
export function demoThresholds(nodes: readonly Node[]): Threshold[] {
  const stores = nodes.filter((node) => node.type === 'store');
  return [
    ...stores.map(({ node }): Threshold => ({ scope: 'node', channel: 'web', node, quantity: 1 })),
    { scope: 'node', channel: 'marketplace', quantity: 2 },
    { scope: 'network', channel: 'marketplace', quantity: 5 },
  ];
}
