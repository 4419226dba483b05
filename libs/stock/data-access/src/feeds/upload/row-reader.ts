/** Reads the rows of a feed from its lines and says what is wrong with those it cannot take. */
import {
  FEED_COLUMNS,
  FEED_LINE_BYTES_MAX,
  FEED_UNITS_MAX,
  type FeedQuery,
  type FeedRefusalCode,
} from '@onepool/contracts';
import { TIME_EXPECTATION, readTime } from '@onepool/platform-clock';
import { readCode } from '@onepool/platform-codes';
import { COUNTED_STATES, type CountedState, type Transmission, placeInTime } from '@onepool/stock-domain';
import { LINE_FEED } from './line-splitter.ts';
import { PlainLines } from './plain-lines.ts';
import type { FeedRow, RowBatch } from './row-batch.ts';
import { headerInvalid } from './upload-refused.ts';

export type FeedFormat = 'ndjson' | 'csv';

/** What of a feed's parameters its rows lean on. */
export interface RowContext extends Pick<FeedQuery, 'mode' | 'node' | 'measure'> {
  /** Milliseconds. */
  readonly capturedAt: number;
  readonly transmission: Transmission;
}

const RECORD_ID = /^[^\p{Cc}\p{Surrogate}]{1,200}$/u;
const NOT_PLAIN_MAX = 1_000;
const COLUMNS: ReadonlySet<string> = new Set(FEED_COLUMNS);

/** What a line is that tells no row. */
const EMPTY = Symbol('empty');
const HEADER = Symbol('header');

type Members = Readonly<Record<string, unknown>>;
/** A class, so that no row can look like one, whatever its members are called. */
class Fault {
  readonly code: FeedRefusalCode;
  readonly message: string;
  /** Whether the line might have named any row. */
  readonly isUnreadable: boolean;

  constructor(code: FeedRefusalCode, message: string, isUnreadable: boolean) {
    this.code = code;
    this.message = message;
    this.isUnreadable = isUnreadable;
  }
}

const isFault = (value: unknown): value is Fault => value instanceof Fault;
const fault = (code: FeedRefusalCode, message: string): Fault => new Fault(code, message, false);
const unreadable = (message: string, code: FeedRefusalCode = 'row.malformed'): Fault => new Fault(code, message, true);
/** Faults of a line that was cut; what is wrong with others was written so. */
const OF_CUT_LINES: ReadonlySet<FeedRefusalCode> = new Set([
  'row.malformed',
  'row.too_long',
  'quantity.invalid',
  'time.invalid',
]);

export class RowReader {
  #header: Header | null = null;
  #plain: PlainLines | null = null;
  #line = 0;
  #emptyLines = 0;
  #isLastLineBroken = false;

  readonly #format: FeedFormat;
  readonly #context: RowContext;

  constructor(format: FeedFormat, context: RowContext) {
    this.#format = format;
    this.#context = context;
  }

  /** Whether the last line so far is no whole row, as one is that was cut. */
  get isLastLineBroken(): boolean {
    return this.#isLastLineBroken;
  }

  /** Lines so far that hold nothing: they are no rows. */
  get emptyLines(): number {
    return this.#emptyLines;
  }

  /**
   * Adds the rows of whole lines, and what is wrong with those that it cannot take; null is a line that is too long.
   * Lines that are not plain cost much more than those that are: after a thousand of them it stops, so that others get
   * their turn, and says from where to go on. It answers null when it has read all.
   *
   * @throws UploadRefusedError `feed.header_invalid`
   */
  read(lines: Buffer | null, into: RowBatch, start = 0): number | null {
    if (lines === null) {
      this.#line += 1;
      this.#refuse(into, TOO_LONG);
      return null;
    }
    let notPlain = 0;
    for (let from = start; from <= lines.length;) {
      if (notPlain === NOT_PLAIN_MAX) return from;
      this.#line += 1;
      this.#isLastLineBroken = false;
      let end = this.#plain?.read(lines, from, this.#line, into) ?? -1;
      if (end >= 0) into.received += 1;
      else {
        notPlain += 1;
        const next = lines.indexOf(LINE_FEED, from);
        end = next < 0 ? lines.length : next;
        this.#readText(lines.toString('utf8', from, end), into);
      }
      from = end + 1;
    }
    return null;
  }

  #readText(text: string, into: RowBatch): void {
    const line = this.#line;
    if (text.length > FEED_LINE_BYTES_MAX) return this.#refuse(into, TOO_LONG);
    const members = text.trim() === '' ? EMPTY : this.#format === 'csv' ? this.#cells(text) : parseObject(text);
    if (members === EMPTY) this.#emptyLines += 1;
    if (members === EMPTY || members === HEADER) return;
    if (isFault(members)) return this.#refuse(into, members);
    const named = this.#named(members);
    if (isFault(named)) return this.#refuse(into, named);
    const hasUnknown = this.#format === 'ndjson' && Object.keys(members).some((name) => !COLUMNS.has(name));
    const state = stateOf(members);
    const value = hasUnknown ? fault('row.invalid', 'an unknown member') : this.#valueOf(members);
    if (isFault(value)) {
      into.add({ line, ...named, quantity: null, recordId: null, state, at: 0 });
      return this.#refuse(into, value);
    }
    const isNegative = this.#context.mode === 'reset' && value.quantity !== null && value.quantity < 0;
    if (isNegative) into.negatives.set(line, value.quantity ?? 0);
    into.add({ line, ...named, ...value, state, ...(isNegative ? { quantity: 0 } : {}) });
    into.received += 1;
  }

  #refuse(into: RowBatch, { code, message, isUnreadable }: Fault): void {
    into.received += 1;
    into.faults.push({ line: this.#line, code, message });
    if (isUnreadable) into.unreadable += 1;
    this.#isLastLineBroken = OF_CUT_LINES.has(code);
  }

  #named(members: Members): { readonly sku: string; readonly node: string } | Fault {
    const { sku: told, node: at = this.#context.node } = members;
    const sku = codeOf(told);
    const node = codeOf(at ?? this.#context.node);
    // A line without a SKU names no row; one whose SKU makes no sense might have named any.
    const isNone = told === undefined || told === null || (typeof told === 'string' && told.trim() === '');
    if (sku === null) return isNone ? fault('row.malformed', 'sku: not a code') : unreadable('sku: not a code');
    if (node === null) return unreadable('node: not a code');
    if (this.#context.node !== undefined && node !== this.#context.node)
      return fault('node.out_of_scope', `the feed speaks of node ${this.#context.node} only`);
    return { sku, node };
  }

  #valueOf(members: Members): Pick<FeedRow, 'quantity' | 'recordId' | 'at'> | Fault {
    const { quantity, recordId = null, state = null } = members;
    const { mode, measure } = this.#context;
    const isReset = mode === 'reset';
    // Whoever has promised more than it has tells less than 0 available: none, and a fault to look after over there.
    const mayBeNegative = measure === 'availability';
    const inRange =
      typeof quantity === 'number' &&
      Number.isSafeInteger(quantity) &&
      Math.abs(quantity) <= FEED_UNITS_MAX &&
      (isReset ? quantity >= 0 || mayBeNegative : quantity !== 0);
    if (!inRange) {
      const allowed = isReset ? `0 to ${FEED_UNITS_MAX}` : `±1 to ±${FEED_UNITS_MAX}`;
      return fault('quantity.invalid', `quantity: not an integer of ${allowed}`);
    }
    if (state !== null && !(isReset && measure === 'physical')) return NO_STATES_THERE;
    if (state !== null && stateOf(members) === null) return NO_SUCH_STATE;
    if (recordId !== null && (typeof recordId !== 'string' || !RECORD_ID.test(recordId)))
      return fault('record.invalid', 'recordId: not a text of 1 to 200 characters');
    const at = this.#timeOf(members);
    return isFault(at) ? at : { quantity, recordId, at };
  }

  #timeOf({ capturedAt, occurredAt }: Members): number | Fault {
    if (capturedAt !== undefined && occurredAt !== undefined)
      return fault('time.invalid', 'capturedAt and occurredAt: one of them, not both');
    const told = capturedAt ?? occurredAt;
    if (told === undefined) return this.#context.capturedAt;
    const at = typeof told === 'string' ? readTime(told) : null;
    if (at === null) return fault('time.invalid', `not ${TIME_EXPECTATION}`);
    return placeInTime(at, this.#context.transmission);
  }

  #cells(text: string): Members | Fault | typeof EMPTY | typeof HEADER {
    const cells = splitCells(text.endsWith('\r') ? text.slice(0, -1) : text);
    const filled = (cells?.findLastIndex((cell) => cell.trim() !== '') ?? 0) + 1;
    // Spreadsheets write commas for lines of which nothing is left.
    if (cells !== null && filled === 0) return EMPTY;
    if (this.#header === null) {
      this.#header = headerOf((cells ?? []).slice(0, filled), this.#context);
      this.#plain = plainLinesFor(this.#header, this.#context);
      return HEADER;
    }
    if (cells === null) return unreadable('a quote stands where none may be, or is never closed');
    const { columns, places } = this.#header;
    // Empty cells after the last column say nothing.
    if (cells.length < columns || filled > columns)
      return unreadable(`${cells.length} cells where the header has ${columns}`);
    const cell = (place: number): string | undefined => (place < 0 ? undefined : cells[place]?.trim()) || undefined;
    const quantity = cell(places.quantity);
    return {
      sku: cell(places.sku),
      node: cell(places.node),
      quantity: quantity !== undefined && /^-?\d{1,15}$/.test(quantity) ? Number(quantity) : quantity,
      recordId: cell(places.recordId),
      capturedAt: cell(places.capturedAt),
      occurredAt: cell(places.occurredAt),
      state: cell(places.state),
    };
  }
}

const NO_STATES_THERE = fault(
  'state.unsupported',
  'state: only a physical reset counts units by their state, and neither a delta nor a count of availability does',
);
const NO_SUCH_STATE = fault(
  'state.unsupported',
  `state: only ${COUNTED_STATES.join(' and ')} are counted by themselves; count all that is there in a row without a state, and what can be sold follows from it`,
);

/** Null of a row that names none, or none that is counted by itself. */
const stateOf = ({ state }: Members): CountedState | null => COUNTED_STATES.find((one) => one === state) ?? null;

/** Where each column that a feed can have stands in the lines of a CSV; −1 if it doesn't. */
interface Header {
  readonly columns: number;
  readonly places: Readonly<Record<(typeof FEED_COLUMNS)[number], number>>;
}

function headerOf(cells: readonly string[], context: RowContext): Header {
  const names = cells.map((cell) => cell.replace(/^\uFEFF/, '').trim());
  demandHeader(names, context);
  const places = Object.fromEntries(FEED_COLUMNS.map((column) => [column, names.indexOf(column)]));
  return { columns: names.length, places: places as Header['places'] };
}

/** Lines with nothing but what a count has to tell can be read as plain ones. */
function plainLinesFor({ columns, places }: Header, { node, mode, capturedAt }: RowContext): PlainLines | null {
  const { sku, quantity } = places;
  const used = [sku, places.node, quantity].filter((place) => place >= 0).length;
  if (used < columns) return null;
  return new PlainLines(
    { columns, sku, node: places.node, quantity },
    {
      node,
      allowsZero: mode === 'reset',
      at: capturedAt,
      isCode: (code) => readCode(code) === code,
    },
  );
}

const codeOf = (value: unknown): string | null => (typeof value === 'string' ? readCode(value) : null);

const TOO_LONG = unreadable('the line is longer than 64 KiB', 'row.too_long');

function parseObject(text: string): Members | Fault {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  } catch {
    // Refused below, like any other line that is no object.
  }
  return unreadable('the line is not a JSON object');
}

function demandHeader(header: readonly string[], { node }: RowContext): void {
  const unknown = header.filter((column) => !COLUMNS.has(column)).length;
  if (unknown > 0) throw headerInvalid(`${unknown} unknown columns; known are ${FEED_COLUMNS.join(', ')}`);
  if (new Set(header).size < header.length) throw headerInvalid('a column comes twice');
  const required = ['sku', 'quantity', ...(node === undefined ? ['node'] : [])];
  const missing = required.filter((column) => !header.includes(column));
  if (missing.length > 0) throw headerInvalid(`${missing.join(', ')} missing`);
}

/** Cells of one CSV line, null where its quotes make no sense. */
function splitCells(text: string): readonly string[] | null {
  if (!text.includes('"')) return text.split(',');
  const cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = cell.exec(text);
    if (!match) return null;
    cells.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
    if (match[3] === '') return cells;
  }
}
