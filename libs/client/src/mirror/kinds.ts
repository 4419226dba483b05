/** What a contract's snapshots hold, by their names. */
import type { AppContract, ModuleContract, SnapshotDefinition, SnapshotValue } from '@onepool/contracts';
import type { Client } from '../client.ts';

type ModuleOf<C extends AppContract> = C['modules'][number];
type SnapshotsOf<M extends ModuleContract> = M extends { readonly snapshots: infer N extends object } ? N : never;
type ValuesOf<C extends AppContract, N> = {
  readonly [Kind in keyof N]: N[Kind] extends SnapshotDefinition
    ? SnapshotValue<C['operations'][N[Kind]['pages']]>
    : never;
};
/** Of a union all members at once, since each module has snapshots of its own. */
type All<U> = (U extends unknown ? (_: U) => void : never) extends (_: infer I) => void ? I : never;

/** The modules that have snapshots, by scope. */
export type SnapshotModule<C extends AppContract> =
  ModuleOf<C> extends infer S ? (S extends { readonly snapshots: object; readonly scope: infer N } ? N : never) : never;

/** The things that can be mirrored, by kind. */
export type KindsOf<C extends AppContract> = ValuesOf<C, All<SnapshotsOf<ModuleOf<C>>>>;

type PageIdsOf<C extends AppContract> =
  SnapshotsOf<ModuleOf<C>> extends infer N
    ? N extends Readonly<Record<string, { pages: infer P }>>
      ? P
      : never
    : never;
/** A client of the app, over HTTP or NATS, that can read its pages. */
export type PageClient<C extends AppContract> = Pick<Client<C>, PageIdsOf<C> & keyof Client<C>>;

/** Something that became otherwise in a mirror; null where it is gone. */
export type MirrorChange<Kinds> = {
  readonly [Kind in keyof Kinds & string]: {
    readonly kind: Kind;
    readonly key: string;
    readonly version: number;
    readonly value: Kinds[Kind] | null;
  };
}[keyof Kinds & string];

/** The same without its types. */
export interface MirrorRow {
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly value: unknown;
}
