import { describe, expect, it } from '@jest/globals';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { FactDefinition } from './fact-definition.ts';
import { get } from './operation.ts';
import { PageQuery, Version, closed, pageOf } from './primitives.ts';
import { PAGE_BYTES_MAX, cutPage, snapshotPageOf, snapshotsOf } from './snapshot.ts';

const Shelf = closed({ shelf: Type.String(), units: Type.Integer() });
const Box = closed({ box: Type.String() });
const plain = { summary: '', scope: 's', problems: [], query: PageQuery } as const;
const OPERATIONS = {
  shelves: { ...plain, http: get('/v1/shelves'), response: snapshotPageOf(Shelf) },
  list: { ...plain, http: get('/v1/list'), response: pageOf(Shelf) },
  unpaged: { summary: '', scope: 's', problems: [], http: get('/v1/all'), response: snapshotPageOf(Shelf) },
} as const;
const versions = { fromVersion: Version, toVersion: Version };
const told = { summary: '', description: '' };
const FACTS = [
  {
    id: 'changed',
    subject: 'a.v1',
    data: closed({ shelf: Type.String(), now: Shelf, box: Box, ...versions }),
    ...told,
  },
  { id: 'removed', subject: 'b.v1', data: closed({ shelf: Type.String(), now: Type.Null(), ...versions }), ...told },
  { id: 'noted', subject: 'c.v1', data: closed({ shelf: Type.String(), now: Shelf }), ...told },
] as const satisfies readonly FactDefinition[];

/** Never run: the compiler's word is the test. */
const wrong = () => [
  // @ts-expect-error -- a list without a position is no snapshot
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'list', key: 'shelf', facts: {} } }),
  // @ts-expect-error -- it could not be read page by page
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'unpaged', key: 'shelf', facts: {} } }),
  // @ts-expect-error -- there is no such operation
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'none', key: 'shelf', facts: {} } }),
  // @ts-expect-error -- there is no such fact
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'shelves', key: 'shelf', facts: { stolen: 'now' } } }),
  // @ts-expect-error -- the fact carries no versions
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'shelves', key: 'shelf', facts: { noted: 'now' } } }),
  // @ts-expect-error -- the pages hold no boxes
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'shelves', key: 'shelf', facts: { changed: 'box' } } }),
  // @ts-expect-error -- the fact has no such member
  snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'shelves', key: 'code', facts: { changed: 'now' } } }),
];

describe('the snapshots of a stream', () => {
  it('name pages and facts that fit: see above for those that do not', () => {
    const facts = { changed: 'now', removed: 'now' } as const;
    const snapshots = snapshotsOf(OPERATIONS, FACTS, { shelves: { pages: 'shelves', key: 'shelf', facts } });
    expect(snapshots).toEqual({ shelves: { pages: 'shelves', key: 'shelf', facts } });
    expect(wrong).toEqual(expect.any(Function));
  });
});

describe('a page of a snapshot', () => {
  const rows = (count: number, text = '') =>
    Array.from({ length: count }, (_, n) => ({ key: `k${n}`, version: 1, value: { shelf: `${n}${text}`, units: n } }));
  const cut = (...[of, limit]: [ReturnType<typeof rows>, number]) => cutPage('1:7', of, limit, (key) => `after-${key}`);

  it('is as its schema says, deletions included', () => {
    const schema = snapshotPageOf(Shelf);
    const page: Static<ReturnType<typeof snapshotPageOf<typeof Shelf>>> = cutPage(
      '1:7',
      [...rows(2), { key: 'gone', version: 3, value: null }],
      3,
      String,
    );
    expect(Value.Check(schema, page)).toBe(true);
    expect(Value.Check(schema, { ...page, position: '7' })).toBe(false);
  });

  it('goes on where rows were left', () => {
    expect(cut(rows(3), 2)).toMatchObject({ items: [{ key: 'k0' }, { key: 'k1' }], nextCursor: 'after-k1' });
    expect(cut(rows(2), 2)).toMatchObject({ items: [{ key: 'k0' }, { key: 'k1' }], nextCursor: null });
    expect(cut([], 2)).toEqual({ position: '1:7', items: [], nextCursor: null });
  });

  it('is never larger than NATS takes, and holds one item at least', () => {
    const page = cut(rows(100, 'ü'.repeat(50_000)), 100);
    expect(page.items.length).toBe(5);
    expect(page.nextCursor).toBe('after-k4');
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(PAGE_BYTES_MAX);
    expect(cut(rows(2, 'x'.repeat(PAGE_BYTES_MAX)), 2)).toMatchObject({
      items: [{ key: 'k0' }],
      nextCursor: 'after-k0',
    });
  });
});
