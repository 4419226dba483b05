/**
 * The three kinds of rows with codes: their fields, which of them a new row needs, which of them selling rules read, and how
 * a row is shown and told.
 */
import {
  CATALOG_CHANNEL_CHANGED,
  CATALOG_NODE_CHANGED,
  CATALOG_SKU_CHANGED,
  type Channel,
  type ChannelChange,
  type Node,
  type NodeChange,
  type Sku,
  type SkuChange,
} from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import type { VersionedFact } from '@onepool/platform-unit-of-work';
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

/** `E` is how it is stored, `C` what changes it, `V` how it is shown. */
export interface Kind<E extends { code: string }, C, V> {
  /** What leads the keys of its facts: `sku/…`. */
  readonly noun: 'sku' | 'node' | 'channel';
  readonly entity: EntityTarget<E>;
  /** Its data is a `V` as its `value`, and versions. */
  readonly fact: VersionedFact;
  readonly shown: (row: E) => V;
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

export const SKUS: Kind<SkuEntity, SkuChange, Sku> = {
  noun: 'sku',
  fact: CATALOG_SKU_CHANGED,
  entity: SkuEntity,
  shown: ({ code, title, gtin, weightGrams, category }) => ({
    sku: code,
    ...present({ title, gtin, weightGrams, category }),
  }),
  codeOf: ({ sku }) => sku,
  created: (code) => ({ code, title: null, gtin: null, weightGrams: null, category: null }),
  told: ({ title, gtin, weightGrams, category }) => given({ title, gtin, weightGrams, category }),
  needs: {},
  ruling: [],
  checks: SKU_CHECKS,
};

export const NODES: Kind<NodeEntity, NodeChange, Node> = {
  noun: 'node',
  fact: CATALOG_NODE_CHANGED,
  entity: NodeEntity,
  shown: ({ code, type, timeZone, name, gln, lat, lng, dailyCapacity, activeFrom, activeTo }) => ({
    node: code,
    type: type as Node['type'],
    timeZone,
    ...present({ name, gln, lat, lng, dailyCapacity }),
    ...present({ activeFrom: isoOf(activeFrom), activeTo: isoOf(activeTo) }),
  }),
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

export const CHANNELS: Kind<ChannelEntity, ChannelChange, Channel> = {
  noun: 'channel',
  fact: CATALOG_CHANNEL_CHANGED,
  entity: ChannelEntity,
  shown: ({ code, type, nodeTypes, nodes, name }) => ({
    channel: code,
    type: type as Channel['type'],
    nodeTypes: nodeTypes as Channel['nodeTypes'],
    nodes,
    ...present({ name }),
  }),
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

/** Without the members that have no value, which are absent where a row is shown. */
const present = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], null> } =>
  Object.fromEntries(Object.entries(members).filter(([, member]) => member !== null)) as never;

const isoOf = (date: Date | null): string | null => date?.toISOString() ?? null;

const dateOf = (text: string | null | undefined): Date | null | undefined =>
  typeof text === 'string' ? new Date(timeOf(text)) : text;
