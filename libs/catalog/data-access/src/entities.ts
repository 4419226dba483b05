/** TypeORM's view of the catalogue tables. */
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity({ name: 'sku' })
export class SkuEntity {
  @PrimaryGeneratedColumn('identity', { name: 'sku_key' })
  key!: number;
  @Column({ type: 'text', unique: true })
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
export class NodeEntity {
  @PrimaryGeneratedColumn('identity', { name: 'node_key' })
  key!: number;
  @Column({ type: 'text', unique: true })
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
  @Column({ type: 'text', name: 'time_zone' })
  timeZone!: string;
  @Column({ type: 'integer', name: 'daily_capacity', nullable: true })
  dailyCapacity!: number | null;
  @Column({ type: 'timestamptz', name: 'active_from', nullable: true })
  activeFrom!: Date | null;
  @Column({ type: 'timestamptz', name: 'active_to', nullable: true })
  activeTo!: Date | null;
}

@Entity({ name: 'channel' })
export class ChannelEntity {
  @PrimaryGeneratedColumn('identity', { name: 'channel_key' })
  key!: number;
  @Column({ type: 'text', unique: true })
  code!: string;
  @Column({ type: 'text', nullable: true })
  name!: string | null;
  @Column({ type: 'text' })
  type!: string;
  @Column({ type: 'text', array: true, name: 'node_types', nullable: true })
  nodeTypes!: string[] | null;
  @Column({ type: 'text', array: true, nullable: true })
  nodes!: string[] | null;
}

export const catalogEntities = [SkuEntity, NodeEntity, ChannelEntity];
