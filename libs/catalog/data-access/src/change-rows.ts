/**
 * Changes of rows by code: what a change does not tell stays as it is. The unit of work holds the locks of the rows, so
 * that nobody else changes one between its reading and its writing; each row that has become another is told.
 */
import { Slices } from '@onepool/platform-clock';
import { factKey } from '@onepool/platform-messaging';
import type { Work } from '@onepool/platform-unit-of-work';
import { type EntityManager, type EntityTarget, In, type ObjectLiteral } from 'typeorm';
import type { Draft } from './draft.ts';
import type { ChangeFault, Kind } from './kinds.ts';
import { type Fault, tooLarge } from './checks/fault.ts';

export interface Changed {
  readonly faults: readonly ChangeFault[];
  /** Whether anything changed on which selling rules depend. */
  readonly areRulesChanged: boolean;
}

/** A statement carries at most 65,535 parameters, and putting one together is work too: of a few milliseconds for these. */
const ROWS_PER_STATEMENT = 250;
const STEPS_PER_SLICE = 2_000;

type Numbered<C> = readonly (readonly [number, C])[];
/** Changes by code, each with its place among all. */
export type ByCode<C> = ReadonlyMap<string, Numbered<C>>;

export async function changesByCode<E extends { code: string }, C, V>(
  { codeOf }: Kind<E, C, V>,
  changes: readonly C[],
): Promise<ByCode<C>> {
  const groups = new Map<string, [number, C][]>();
  const slices = new Slices(STEPS_PER_SLICE);
  for (const [index, change] of changes.entries()) {
    const group = groups.get(codeOf(change));
    if (group) group.push([index, change]);
    else groups.set(codeOf(change), [[index, change]]);
    if (slices.isFull()) await slices.next();
  }
  return groups;
}

/** Of changes with the same code the later ones come on top. Rows are written and told as far as no fault was found. */
export async function changeRows<E extends { code: string }, C, V>(
  work: Work,
  kind: Kind<E, C, V>,
  changes: ByCode<C>,
): Promise<Changed> {
  const faults: ChangeFault[] = [];
  let areRulesChanged = false;
  const byCode = [...changes];
  for (let from = 0; from < byCode.length; from += ROWS_PER_STATEMENT) {
    const some = byCode.slice(from, from + ROWS_PER_STATEMENT);
    const stored = await storedRows(work.manager, kind, some);
    const altered: Draft<E>[] = [];
    for (const [code, ofCode] of some) {
      const before = stored.get(code);
      const after = merged(kind, before ?? kind.created(code), ofCode, faults);
      if (before === undefined || !isSame(before, after)) altered.push(after);
      areRulesChanged ||= kind.ruling.length > 0 && (before === undefined || !isSame(before, after, kind.ruling));
    }
    if (faults.length > 0) continue;
    await write(work.manager, kind, altered);
    for (const row of altered) tell(work, kind, row as E);
  }
  return { faults, areRulesChanged };
}

const tell = <E extends { code: string }, C, V>(work: Work, { noun, fact, shown }: Kind<E, C, V>, row: E): void =>
  work.tell(factKey(noun, row.code), fact, { key: row.code, value: shown(row) });

async function storedRows<E extends { code: string }, C, V>(
  manager: EntityManager,
  { entity }: Kind<E, C, V>,
  changes: readonly (readonly [string, Numbered<C>])[],
): Promise<ReadonlyMap<string, Draft<E>>> {
  const repository = manager.getRepository<{ code: string }>(entity as EntityTarget<{ code: string }>);
  const rows = await repository.findBy({ code: In(changes.map(([code]) => code)) });
  return new Map(rows.map((row) => [row.code, row as Draft<E>]));
}

/** Each change on top of the one before; what makes no sound row is noted. */
function merged<E extends { code: string }, C, V>(
  kind: Kind<E, C, V>,
  before: Draft<E>,
  changes: Numbered<C>,
  faults: ChangeFault[],
): Draft<E> {
  let row = before;
  for (const [index, change] of changes) {
    const told = kind.told(change);
    row = { ...row, ...told };
    const fault = faultOf(kind, row, told) ?? tooLarge(row);
    if (fault) faults.push({ index, ...fault });
  }
  return { ...row, ...kind.derived?.(row) };
}

function faultOf<E extends { code: string }, C, V>(
  { needs, checks }: Kind<E, C, V>,
  row: Draft<E>,
  told: object,
): Fault | undefined {
  for (const [member, message] of Object.entries<string>(needs as Readonly<Record<string, string>>)) {
    if (!(member in row)) return { member, code: 'missing', message: () => message };
  }
  for (const { members, fault } of checks) {
    const found = members.some((member) => member in told) ? fault(row) : undefined;
    if (found) return found;
  }
  return undefined;
}

const isSame = (one: object, other: object, members: readonly string[] = Object.keys(other)): boolean =>
  members.every((member) => JSON.stringify(Reflect.get(one, member)) === JSON.stringify(Reflect.get(other, member)));

async function write<E extends { code: string }, C, V>(
  manager: EntityManager,
  { entity }: Kind<E, C, V>,
  rows: readonly Draft<E>[],
): Promise<void> {
  if (rows.length === 0) return;
  const values: ObjectLiteral[] = rows.map(({ ...row }) => {
    Reflect.deleteProperty(row, 'key');
    return row;
  });
  await manager.upsert(entity as EntityTarget<ObjectLiteral>, values, { conflictPaths: ['code'] });
}
