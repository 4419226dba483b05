/** Codes that changes name, looked up before anything is locked: none is ever deleted. */
import type { ChangeFault } from './kinds.ts';

export type Named = 'channel' | 'node' | 'sku';
export type KeysOf = (kind: Named, codes: readonly string[]) => Promise<ReadonlyMap<string, number>>;

const NOUNS = { channel: 'channel', node: 'node', sku: 'SKU' } as const;

/** Which codes a change names in a member, if it tells the member. */
export interface NamedBy<C> {
  readonly member: string;
  readonly kind: Named;
  readonly codes: (change: C) => readonly string[];
}

export interface Resolved {
  /** A fault for each change that names what does not exist. */
  readonly faults: readonly ChangeFault[];
  readonly keys: Readonly<Record<Named, ReadonlyMap<string, number>>>;
}

export async function resolveNamed<C>(
  changes: readonly C[],
  members: readonly NamedBy<C>[],
  keysOf: KeysOf,
): Promise<Resolved> {
  const keys = { channel: new Map<string, number>(), node: new Map<string, number>(), sku: new Map<string, number>() };
  for (const { kind, codes } of members) {
    const found = await keysOf(kind, [...new Set(changes.flatMap(codes))]);
    for (const [code, key] of found) keys[kind].set(code, key);
  }
  const faults = changes.flatMap((change, index): ChangeFault[] => {
    for (const { member, kind, codes } of members) {
      const value = codes(change).find((code) => !keys[kind].has(code));
      if (value !== undefined) return [{ index, member, value, ...unknown(kind, value) }];
    }
    return [];
  });
  return { faults, keys };
}

const unknown = (kind: Named, value: string) => ({
  code: `${kind}.unknown`,
  message: () => `there is no ${NOUNS[kind]} ${value}`,
});

/** Of a selection: all names none. */
export const listed = (selection: 'all' | readonly string[] | undefined): readonly string[] =>
  selection === undefined || selection === 'all' ? [] : selection;

export const single = (code: string | undefined): readonly string[] => (code === undefined ? [] : [code]);
