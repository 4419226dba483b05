/** Stops that name a SKU. Those of nodes and channels are rules of the catalogue. */
import { type Static, Type } from '@sinclair/typebox';
import { StopMode } from '../catalog/limits.ts';
import {
  ChannelCode,
  NodeCode,
  SkuCode,
  Timestamp,
  Version,
  closed,
  oneOf,
  pageMembers,
} from '../shared/primitives.ts';

export const STOPS_MAX = 500;

const PLACE = {
  node: Type.Optional({ ...NodeCode, description: 'Absent is every node.' }),
  channel: Type.Optional({ ...ChannelCode, description: 'Absent is every channel.' }),
};
const UNTIL = { until: Type.Optional({ ...Timestamp, description: 'When it is over by itself.' }) };

export const SkuStopChange = closed({ sku: SkuCode, ...PLACE, mode: StopMode, ...UNTIL });
export type SkuStopChange = Static<typeof SkuStopChange>;
export const PutStops = closed({
  stops: Type.Array(SkuStopChange, {
    minItems: 1,
    maxItems: STOPS_MAX,
    description:
      'Each takes the place of the one before of its SKU, node and channel. Of several for the same the last one counts.',
  }),
});
export type PutStops = Static<typeof PutStops>;
export const StoppedSkus = closed({
  skus: Type.Array(closed({ sku: SkuCode, version: Version }), {
    description: 'Each SKU once, with its version from which on this holds.',
  }),
});
export type StoppedSkus = Static<typeof StoppedSkus>;

const ACTIVE = { ...PLACE, mode: oneOf(['stop', 'drain']), ...UNTIL };
export const StopOfSku = closed(ACTIVE);
export type StopOfSku = Static<typeof StopOfSku>;
export const SkuStop = closed({ sku: SkuCode, ...ACTIVE, since: Timestamp });
export type SkuStop = Static<typeof SkuStop>;
export const StopQuery = closed({ sku: Type.Optional(SkuCode), ...pageMembers('^\\d{1,9}\\.\\d{1,9}\\.\\d{1,9}$') });
