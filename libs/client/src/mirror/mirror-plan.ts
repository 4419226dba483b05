/** What a mirror of one module reads and hears, out of the app's contract. */
import { type AppContract, factStream } from '@onepool/contracts';
import { type FactEvent, UnparsableMessageError } from '@onepool/platform-messaging';
import { filterFor } from '../facts/filter-for.ts';
import type { MirrorRow } from './kinds.ts';
import type { NextPage } from './mirror-store.ts';

interface Told {
  readonly kind: string;
  /** Members of the fact's data. */
  readonly key: string;
  readonly value: string;
}

export class MirrorPlan {
  readonly stream: string;
  /** Sorted. */
  readonly kinds: readonly string[];
  readonly filterSubject: string;
  readonly #pages: ReadonlyMap<string, string>;
  readonly #told = new Map<string, Told[]>();

  /** @throws Error where the contract has no such module, or that has no snapshots. */
  constructor(contract: AppContract, module: string) {
    const { snapshots, facts = [] } = contract.modules.find(({ scope }) => scope === module) ?? {};
    if (snapshots === undefined) throw new Error(`${contract.title} has no snapshots of a module ${module}.`);
    this.stream = factStream(module).name;
    this.kinds = Object.keys(snapshots).sort();
    this.#pages = new Map(Object.entries(snapshots).map(([kind, { pages }]) => [kind, pages]));
    for (const [kind, { key, facts: members }] of Object.entries(snapshots)) {
      for (const { id, subject } of facts) {
        const value = members[id];
        if (value !== undefined) this.#told.set(subject, [...(this.#told.get(subject) ?? []), { kind, key, value }]);
      }
    }
    this.filterSubject = filterFor([...this.#told.keys()]);
  }

  get firstPage(): NextPage {
    return { kind: this.kinds[0] ?? '', cursor: null };
  }

  /** The operation that answers the pages of a kind. */
  operationOf(kind: string): string {
    const operation = this.#pages.get(kind);
    if (operation === undefined) throw new Error(`Broken invariant: there are no pages of ${kind}.`);
    return operation;
  }

  /** Null after the last page of the last kind. */
  pageAfter({ kind }: NextPage, cursor: string | null): NextPage | null {
    if (cursor !== null) return { kind, cursor };
    const next = this.kinds[this.kinds.indexOf(kind) + 1];
    return next === undefined ? null : { kind: next, cursor: null };
  }

  /** What a fact says, none where it is of nothing that is mirrored. @throws UnparsableMessageError where it is not as the contract has it, so that no repetition would mend it. */
  rowsOf({ subject, data, id }: FactEvent): readonly MirrorRow[] {
    const members = (data ?? {}) as Readonly<Record<string, unknown>>;
    return (this.#told.get(subject) ?? []).map(({ kind, key: keyMember, value: valueMember }) => {
      const { [keyMember]: key, [valueMember]: value, toVersion: version } = members;
      if (typeof key !== 'string' || typeof version !== 'number' || value === undefined) {
        throw new UnparsableMessageError(`The fact ${id} lacks ${keyMember}, ${valueMember} or toVersion.`);
      }
      return { kind, key, version, value };
    });
  }
}
