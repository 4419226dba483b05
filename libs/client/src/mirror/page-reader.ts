/** Reads the pages of an app's snapshots. */
import type { SnapshotPage } from '@onepool/contracts';
import { parsePosition, type StreamPosition } from '@onepool/platform-messaging';
import { type Answered, type Refused, valueOf } from '../outcome.ts';
import type { MirrorRow } from './kinds.ts';
import type { MirrorPlan } from './mirror-plan.ts';
import type { NextPage } from './mirror-store.ts';

/** A client without its types. */
export type AnyPages = Readonly<Record<string, PageOperation>>;
type PageOperation = (request: {
  readonly query: { readonly limit: number; readonly cursor?: string };
}) => Promise<Answered<unknown> | Refused<string>>;

export interface ReadPage {
  readonly position: StreamPosition;
  readonly rows: readonly MirrorRow[];
  /** Null after the last page of the last kind. */
  readonly next: NextPage | null;
}

export class PageReader {
  readonly #client: AnyPages;
  readonly #plan: MirrorPlan;
  readonly #pageItems: number;

  constructor(client: AnyPages, plan: MirrorPlan, pageItems: number) {
    this.#client = client;
    this.#plan = plan;
    this.#pageItems = pageItems;
  }

  async read(page: NextPage): Promise<ReadPage> {
    const { items, nextCursor, position } = await this.#ask(page, this.#pageItems);
    return {
      position: parsePosition(position),
      rows: items.map(({ key, version, value }) => ({ kind: page.kind, key, version, value })),
      next: this.#plan.pageAfter(page, nextCursor),
    };
  }

  /** Where the stream is by now. */
  async position(): Promise<StreamPosition> {
    const { position } = await this.#ask(this.#plan.firstPage, 1);
    return parsePosition(position);
  }

  async #ask({ kind, cursor }: NextPage, limit: number): Promise<SnapshotPage<unknown>> {
    const name = this.#plan.operationOf(kind);
    const operation = this.#client[name];
    if (operation === undefined) throw new Error(`The client cannot ask ${name}, which is not offered that way.`);
    return valueOf(
      await operation({ query: { limit, ...(cursor === null ? {} : { cursor }) } }),
    ) as SnapshotPage<unknown>;
  }
}
