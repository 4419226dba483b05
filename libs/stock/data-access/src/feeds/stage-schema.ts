/**
 * Staging tables are made and dropped while the app runs, by functions that do so with their owner's rights. Their
 * parameters are a feed's key and attempt, from which the table's name follows, and never any text of a caller.
 */
import { type SchemaRights, definerFunction } from '@onepool/platform-postgres';

/** What staging tables are made like; always empty itself. Whoever may fill it may fill those made like it. */
const TEMPLATE = 'feed_stage';
const PARAMETERS = 'feed_key bigint, attempt integer';

/** As `stageTableOf` names it. */
const STAGE = `DECLARE stage text := format('${TEMPLATE}_%s_%s', feed_key, attempt);`;

/** Logged, not unlogged: once the upload is answered, its rows must survive a crash of the server. */
const CREATE = (at: string): string => `
  ${STAGE} heir record;
  BEGIN
    EXECUTE format('CREATE TABLE %I.%I (LIKE ${TEMPLATE}) WITH (autovacuum_enabled = false)', ${at}, stage);
    FOR heir IN
      SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role, string_agg(privilege_type, ', ') AS rights
        FROM pg_class, aclexplode(relacl) WHERE oid = '${TEMPLATE}'::regclass AND grantee <> relowner GROUP BY 1
    LOOP
      EXECUTE format('GRANT %s ON %I.%I TO %s', heir.rights, ${at}, stage, heir.role);
    END LOOP;
  END`;

/** What may be unique in a feed, by the name that callers use, and the columns that tell. */
export const STAGE_KEYS = { record: 'record_id', row: 'sku_key, node_key', line: 'line' } as const;
export type StageKey = keyof typeof STAGE_KEYS;

const INDEX = (at: string): string => `
  ${STAGE}
    columns text := CASE unique_by ${Object.entries(STAGE_KEYS)
      .map(([key, columns]) => `WHEN '${key}' THEN '${columns}'`)
      .join(' ')} END;
  BEGIN
    IF columns IS NULL THEN RAISE EXCEPTION 'a feed has no key %', unique_by; END IF;
    EXECUTE format('CREATE UNIQUE INDEX ON %I.%I (%s)', ${at}, stage, columns);
  END`;

/** The statements that make the template and its functions, of the tables of {@link feedSchemaSql}. */
export function stageSchemaSql(schema: string): readonly string[] {
  const at = `'${schema}'`;
  const simply = (verb: string): string => `${STAGE} BEGIN EXECUTE format('${verb} %I.%I', ${at}, stage); END`;
  const make = (name: string, parameters: string, body: string): string =>
    definerFunction({ schema, name, parameters, body });
  return [
    `CREATE TABLE ${TEMPLATE}
       (line bigint NOT NULL, sku_key integer NOT NULL, node_key integer NOT NULL, quantity integer, at_ms bigint NOT NULL, record_id text)`,
    make('create_feed_stage', PARAMETERS, CREATE(at)),
    make('index_feed_stage', `${PARAMETERS}, unique_by text`, INDEX(at)),
    make('analyze_feed_stage', PARAMETERS, simply('ANALYZE')),
    make('drop_feed_stage', PARAMETERS, simply('DROP TABLE IF EXISTS')),
  ];
}

export const stageRights: SchemaRights = {
  tables: { [`${TEMPLATE}*`]: ['SELECT', 'INSERT', 'DELETE'] },
  functions: ['create_feed_stage', 'index_feed_stage', 'analyze_feed_stage', 'drop_feed_stage'],
};
