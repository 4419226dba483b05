import type { DataSource } from 'typeorm';

export async function acknowledgeAll(dataSource: DataSource, reservation: string): Promise<void> {
  await dataSource.query(
    `WITH named AS (
       UPDATE reservation SET version = version + 1 WHERE id = $1 RETURNING reservation_key, version),
     acknowledged AS (
       UPDATE backing b SET accepted = held + confirmed, picked = 0, shipped = 0 FROM named
        WHERE b.reservation_key = named.reservation_key AND held + confirmed > 0 AND accepted IS NULL
       RETURNING b.*, named.version)
     INSERT INTO stage_entry (sku_key, reservation_version, reservation_key, supply_key, occurred_at, recorded_at, units, backing_no, stage)
     SELECT sku_key, version, reservation_key, supply_key, now, now, accepted, backing_no, 1
       FROM acknowledged, date_trunc('milliseconds', clock_timestamp()) AS now`,
    [reservation],
  );
}
