/** TypeORM's view of the catalogue tables. Keys and checks have the names that PostgreSQL gave them, by which TypeORM knows them. */
import type { CarrierService, CutOff, Holiday, Identifier, OpeningHours } from '@onepool/contracts';
import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique, type ValueTransformer } from 'typeorm';

/** TypeORM gives an int8 as text, whatever the driver says. */
const NUMBER: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/** In a table null stands for all, because a list cannot; an empty one is none. */
const NULL_FOR_ALL: ValueTransformer = {
  to: (value: 'all' | string[]) => (value === 'all' ? null : value),
  from: (value: string[] | null) => value ?? 'all',
};

@Entity({ name: 'sku' })
@Unique('sku_code_key', ['code'])
@Index('sku_gtins', { synchronize: false })
export class SkuEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'sku_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text', nullable: true })
  title!: string | null;
  @Column({ type: 'text', nullable: true })
  gtin!: string | null;
  @Column({ type: 'json', nullable: true })
  identifiers!: Identifier[] | null;
  @Column({ type: 'text', array: true, default: '{}' })
  gtins!: string[];
  @Column({ type: 'integer', name: 'weight_grams', nullable: true })
  weightGrams!: number | null;
  @Column({ type: 'integer', name: 'length_mm', nullable: true })
  lengthMm!: number | null;
  @Column({ type: 'integer', name: 'width_mm', nullable: true })
  widthMm!: number | null;
  @Column({ type: 'integer', name: 'height_mm', nullable: true })
  heightMm!: number | null;
  @Column({ type: 'text', nullable: true })
  category!: string | null;
  @Column({ type: 'text', nullable: true })
  brand!: string | null;
  @Column({ type: 'text', name: 'tax_class', nullable: true })
  taxClass!: string | null;
  @Column({ type: 'bigint', name: 'supplier_cost', nullable: true, transformer: NUMBER })
  supplierCost!: number | null;
  @Column({ type: 'text', name: 'supplier_cost_currency', nullable: true })
  supplierCostCurrency!: string | null;
  @Column({ type: 'integer', name: 'lead_time_days', nullable: true })
  leadTimeDays!: number | null;
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
  @Column({ type: 'text', name: 'legal_entity', nullable: true })
  legalEntity!: string | null;
  @Column({ type: 'text', nullable: true })
  brand!: string | null;
  @Column({ type: 'text', array: true, nullable: true })
  groups!: string[] | null;
  @Column({ type: 'text', array: true, name: 'fulfilment_types', nullable: true, transformer: NULL_FOR_ALL })
  fulfilmentTypes!: 'all' | string[];
  @Column({ type: 'json', name: 'opening_hours', nullable: true })
  openingHours!: OpeningHours[] | null;
  @Column({ type: 'json', nullable: true })
  holidays!: Holiday[] | null;
  @Column({ type: 'json', name: 'cut_offs', nullable: true })
  cutOffs!: CutOff[] | null;
  @Column({ type: 'json', name: 'carrier_services', nullable: true })
  carrierServices!: CarrierService[] | null;
}

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
  @Column({ type: 'text', name: 'legal_entity', nullable: true })
  legalEntity!: string | null;
  @Column({ type: 'text', nullable: true })
  brand!: string | null;
  @Column({ type: 'text', nullable: true })
  currency!: string | null;
}

@Entity({ name: 'eligibility_rule' })
@Unique('eligibility_rule_code_key', ['code'])
@Check('eligibility_rule_forbids_check', `forbids IN ('ship', 'sell')`)
export class EligibilityRuleEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'rule_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text' })
  forbids!: string;
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  skus!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  nodes!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  channels!: 'all' | string[];
  @Column({ type: 'text', nullable: true })
  reason!: string | null;
}

@Entity({ name: 'fence' })
@Unique('fence_code_key', ['code'])
@Unique('fence_fence_key_key', ['fenceKey'])
@Check('fence_check', `num_nonnulls(quantity, share_percent) = 1`)
export class FenceEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'rule_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  /** Given by the database, and read by the engine alone. */
  @Column({ type: 'integer', name: 'fence_key', select: false })
  fenceKey?: number;
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  skus!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  nodes!: 'all' | string[];
  @Column({ type: 'text', array: true })
  channels!: string[];
  @Column({ type: 'integer', nullable: true })
  quantity!: number | null;
  @Column({ type: 'integer', name: 'share_percent', nullable: true })
  sharePercent!: number | null;
  @Column({ type: 'timestamptz', nullable: true })
  until!: Date | null;
  @Column({ type: 'text', nullable: true })
  reason!: string | null;
}

@Entity({ name: 'stop_rule' })
@Unique('stop_rule_code_key', ['code'])
@Check('stop_rule_mode_check', `mode IN ('stop', 'drain', 'none')`)
export class StopRuleEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'rule_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text' })
  mode!: string;
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  nodes!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  channels!: 'all' | string[];
  @Column({ type: 'timestamptz', nullable: true })
  until!: Date | null;
  @Column({ type: 'text', nullable: true })
  reason!: string | null;
}

@Entity({ name: 'allowance' })
@Unique('allowance_code_key', ['code'])
@Check('allowance_cap_check', `cap >= 0`)
export class AllowanceEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'rule_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  skus!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  nodes!: 'all' | string[];
  @Column({ type: 'integer' })
  cap!: number;
  @Column({ type: 'text', nullable: true })
  reason!: string | null;
}

@Entity({ name: 'receipt_policy' })
@Unique('receipt_policy_code_key', ['code'])
@Check('receipt_policy_to_state_check', `to_state IN ('available', 'quality_control', 'none')`)
@Check('receipt_policy_inspect_within_hours_check', `inspect_within_hours > 0`)
export class ReceiptPolicyEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', name: 'rule_key' })
  key!: number;
  @Column({ type: 'text' })
  code!: string;
  @Column({ type: 'text', name: 'to_state' })
  to!: string;
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  nodes!: 'all' | string[];
  @Column({ type: 'text', array: true, nullable: true, transformer: NULL_FOR_ALL })
  reasons!: 'all' | string[];
  @Column({ type: 'integer', name: 'inspect_within_hours' })
  inspectWithinHours!: number;
}

export const catalogEntities = [
  SkuEntity,
  NodeEntity,
  ChannelEntity,
  EligibilityRuleEntity,
  FenceEntity,
  StopRuleEntity,
  AllowanceEntity,
  ReceiptPolicyEntity,
];
