/** TypeORM's view of the catalogue tables. Keys and checks have the names that PostgreSQL gave them, by which TypeORM knows them. */
import { Check, Column, Entity, PrimaryGeneratedColumn, Unique, type ValueTransformer } from 'typeorm';

@Entity({ name: 'sku' })
@Unique('sku_code_key', ['code'])
export class SkuEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'sku_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text', nullable: true })
  title!: string | null;
  @Column({ type: 'text', nullable: true })
  gtin!: string | null;
  @Column({ type: 'integer', name: 'weight_grams', nullable: true })
  weightGrams!: number | null;
  @Column({ type: 'text', nullable: true })
  category!: string | null;
}

@Entity({ name: 'node' })
@Unique('node_code_key', ['code'])
@Check('node_type_check', `type IN ('store', 'warehouse', '3pl', 'dropship', 'micro_fulfillment', 'popup')`)
export class NodeEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'node_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text', nullable: true })
  name!: string | null;
  @Column({ type: 'text' })
  type!: string;
  @Column({ type: 'text', nullable: true })
  gln!: string | null;
  @Column({ type: 'double precision', nullable: true })
  lat!: number | null;
  @Column({ type: 'double precision', nullable: true })
  lng!: number | null;
  @Column({ type: 'text', name: 'time_zone', default: 'UTC' })
  timeZone!: string;
  @Column({ type: 'integer', name: 'daily_capacity', nullable: true })
  dailyCapacity!: number | null;
  @Column({ type: 'timestamptz', name: 'active_from', nullable: true })
  activeFrom!: Date | null;
  @Column({ type: 'timestamptz', name: 'active_to', nullable: true })
  activeTo!: Date | null;
}

/** In a table null stands for all, because a list cannot; an empty one is none. */
const NULL_FOR_ALL: ValueTransformer = {
  to: (value: 'all' | string[]) => (value === 'all' ? null : value),
  from: (value: string[] | null) => value ?? 'all',
};

@Entity({ name: 'channel' })
@Unique('channel_code_key', ['code'])
@Check('channel_type_check', `type IN ('web', 'marketplace', 'pos', 'endless_aisle', 'b2b')`)
export class ChannelEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'channel_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text', nullable: true })
  name!: string | null;
  @Column({ type: 'text' })
  type!: string;
  @Column({ type: 'text', array: true, name: 'node_types', nullable: true, transformer: NULL_FOR_ALL })
  nodeTypes!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  nodes!: 'all' | string[];
}

export const catalogEntities = [SkuEntity, NodeEntity, ChannelEntity];
