/** The three kinds of rows with codes: their fields, which of them a new row needs, and which of them selling rules read. */
import type { ChannelChange, NodeChange, SkuChange } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import type { EntityTarget } from 'typeorm';
import { ChannelEntity, NodeEntity, SkuEntity } from './entities.ts';
import { type Fault, NODE_CHECKS, type RowCheck, SKU_CHECKS } from './row-checks.ts';

/** What is wrong with one of the changes sent. */
export interface ChangeFault extends Fault {
  /** Its place among them. */
  readonly index: number;
  /** A code that names nothing. */
  readonly value?: string;
}

/** A row as it is put together: what a new one needs may not be there yet. */
export type Draft<E> = Partial<Omit<E, 'key'>> & { readonly code: string };

export interface Kind<E extends { code: string }, C> {
  readonly entity: EntityTarget<E>;
  readonly codeOf: (change: C) => string;
  readonly created: (code: string) => Draft<E>;
  /** The fields that a change tells; undefined are left. */
  readonly told: (change: C) => Partial<Omit<E, 'key' | 'code'>>;
  /** Fields without which there is no row, and what to say then. */
  readonly needs: Readonly<Partial<Record<keyof E & string, string>>>;
  /** Fields by which is decided who may sell what from where. */
  readonly ruling: readonly (keyof E & string)[];
  readonly checks: readonly RowCheck<E>[];
}

export const SKUS: Kind<SkuEntity, SkuChange> = {
  entity: SkuEntity,
  codeOf: ({ sku }) => sku,
  created: (code) => ({ code, title: null, gtin: null, weightGrams: null, category: null }),
  told: ({ title, gtin, weightGrams, category }) => given({ title, gtin, weightGrams, category }),
  needs: {},
  ruling: [],
  checks: SKU_CHECKS,
};

export const NODES: Kind<NodeEntity, NodeChange> = {
  entity: NodeEntity,
  codeOf: ({ node }) => node,
  created: (code) => ({
    code,
    name: null,
    gln: null,
    lat: null,
    lng: null,
    timeZone: UTC,
    dailyCapacity: null,
    activeFrom: null,
    activeTo: null,
  }),
  told: ({ name, type, gln, lat, lng, timeZone, dailyCapacity, activeFrom, activeTo }) =>
    given({
      name,
      type,
      gln,
      lat,
      lng,
      timeZone: timeZone === null ? UTC : timeZone,
      dailyCapacity,
      activeFrom: dateOf(activeFrom),
      activeTo: dateOf(activeTo),
    }),
  needs: { type: 'a new node needs its type' },
  ruling: ['type', 'lat', 'lng', 'activeFrom', 'activeTo'],
  checks: NODE_CHECKS,
};

export const CHANNELS: Kind<ChannelEntity, ChannelChange> = {
  entity: ChannelEntity,
  codeOf: ({ channel }) => channel,
  created: (code) => ({ code, name: null, nodeTypes: 'all' }),
  told: ({ name, type, nodeTypes, nodes }) => given({ name, type, nodeTypes, nodes }),
  needs: {
    type: 'a new channel needs its type',
    nodes: 'a new channel needs its nodes: all, or a list of them',
  },
  ruling: ['nodeTypes', 'nodes'],
  checks: [],
};

const UTC = 'UTC';

/** Without the members that are undefined. */
const given = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)) as never;

const dateOf = (text: string | null | undefined): Date | null | undefined =>
  typeof text === 'string' ? new Date(timeOf(text)) : text;
