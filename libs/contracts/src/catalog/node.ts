/** Nodes: where it lies, when they work and what they can do. */
import { type Static, Type } from '@sinclair/typebox';
import { Latitude, Longitude, NodeCode, ShortText, Timestamp, closed, oneOf } from '../shared/primitives.ts';
import { LocalDate, PARTIAL, TimeOfDay, WEEKDAYS, allOr, clearable, many, optional } from './members.ts';

export const NODE_TYPES = ['store', 'warehouse', '3pl', 'dropship', 'micro_fulfillment', 'popup'] as const;
export const NodeType = oneOf(NODE_TYPES, 'What kind of place the node is.');
export type NodeType = (typeof NODE_TYPES)[number];

export const FULFILMENT_TYPES = ['ship', 'ship_from_store', 'pickup', 'curbside', 'local_delivery'] as const;
export const FulfilmentType = oneOf(FULFILMENT_TYPES, 'How units leave a node for a shopper.');
export type FulfilmentType = (typeof FULFILMENT_TYPES)[number];

const Weekday = oneOf(WEEKDAYS);
export const OpeningHours = closed({ day: Weekday, opens: TimeOfDay, closes: TimeOfDay });
export type OpeningHours = Static<typeof OpeningHours>;
export const Holiday = closed(
  {
    date: LocalDate,
    opens: Type.Optional(TimeOfDay),
    closes: Type.Optional(TimeOfDay),
    name: Type.Optional(ShortText),
  },
  { description: 'A day on which other hours hold; without hours it is closed.' },
);
export type Holiday = Static<typeof Holiday>;
export const CutOff = closed(
  { day: Weekday, time: TimeOfDay, fulfilmentType: Type.Optional(FulfilmentType) },
  { description: 'Orders that come later are for the next day; of all fulfilment types unless one is told.' },
);
export type CutOff = Static<typeof CutOff>;
export const CarrierService = closed(
  {
    carrier: ShortText,
    service: ShortText,
    pickups: Type.Array(closed({ day: Weekday, time: TimeOfDay }), { maxItems: 50, description: 'When it comes.' }),
  },
  { description: 'A service of a carrier that collects at the node.' },
);
export type CarrierService = Static<typeof CarrierService>;

const OF_NODE = {
  name: ShortText,
  gln: Type.String({ pattern: '^\\d{13}$', description: 'GS1 Global Location Number, with its check digit.' }),
  lat: { ...Latitude, description: 'With `lng`, or neither.' },
  lng: { ...Longitude, description: 'With `lat`, or neither.' },
  timeZone: Type.String({
    pattern: '^[A-Za-z0-9_+/-]{1,64}$',
    description: 'A name of IANA, as Europe/Berlin, that the platform knows; UTC where none was given.',
  }),
  dailyCapacity: Type.Integer({ minimum: 0, maximum: 10_000_000, description: 'Orders a day.' }),
  activeFrom: Timestamp,
  /** After `activeFrom`. */
  activeTo: Timestamp,
  legalEntity: ShortText,
  brand: ShortText,
  groups: Type.Array(Type.String({ printable: 'code', minLength: 1, maxLength: 255 }), {
    uniqueItems: true,
    maxItems: 100,
    description: 'Names of groups that the node is in. A list that is sent replaces it.',
  }),
  openingHours: Type.Array(OpeningHours, {
    maxItems: 100,
    description: 'In its time zone; unknown where none is told.',
  }),
  holidays: Type.Array(Holiday, { maxItems: 400 }),
  cutOffs: Type.Array(CutOff, { maxItems: 100 }),
  carrierServices: Type.Array(CarrierService, { maxItems: 50 }),
};
const FulfilmentTypes = { fulfilmentTypes: allOr(FulfilmentType, 'Fulfilment types that the node can do') };
export const Node = closed({ node: NodeCode, type: NodeType, ...optional(FulfilmentTypes), ...optional(OF_NODE) });
export type Node = Static<typeof Node>;
export const NodeChange = closed(
  { node: NodeCode, type: Type.Optional(NodeType), ...optional(FulfilmentTypes), ...clearable(OF_NODE) },
  { description: `${PARTIAL} A new node needs its type; its \`fulfilmentTypes\` are "all" unless told.` },
);
export type NodeChange = Static<typeof NodeChange>;
export const PutNodes = closed({ nodes: many(NodeChange) });
export type PutNodes = Static<typeof PutNodes>;
