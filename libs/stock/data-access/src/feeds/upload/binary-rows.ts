/** Rows in the binary format of COPY (PostgreSQL manual, COPY, "Binary Format"): nothing to print here and to parse there. */

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER_BYTES = 2;
const BYTES_PER_ROW = 64;
const NULL = -1;
const TWO_TO_32 = 2 ** 32;

export class BinaryRows {
  /** Rows begun so far. */
  rows = 0;
  #bytes: Buffer;
  #view: DataView;
  #at = HEADER.length;

  constructor(rowsExpected: number) {
    this.#bytes = Buffer.allocUnsafeSlow(HEADER.length + rowsExpected * BYTES_PER_ROW + TRAILER_BYTES);
    this.#view = viewOf(this.#bytes);
    HEADER.copy(this.#bytes);
  }

  row(fields: number): this {
    this.#reserve(2);
    this.rows += 1;
    this.#view.setInt16(this.#at, fields);
    this.#at += 2;
    return this;
  }

  /** Of SQL type `integer`. */
  integer(value: number | null): this {
    this.#reserve(8);
    if (value === null) return this.#null();
    this.#view.setInt32(this.#at, 4);
    this.#view.setInt32(this.#at + 4, value);
    this.#at += 8;
    return this;
  }

  /** Of SQL type `smallint`. */
  smallint(value: number | null): this {
    this.#reserve(6);
    if (value === null) return this.#null();
    this.#view.setInt32(this.#at, 2);
    this.#view.setInt16(this.#at + 4, value);
    this.#at += 6;
    return this;
  }

  /** Of SQL type `bigint`; a safe integer. */
  bigint(value: number): this {
    this.#reserve(12);
    this.#view.setInt32(this.#at, 8);
    this.#view.setInt32(this.#at + 4, Math.floor(value / TWO_TO_32));
    this.#view.setUint32(this.#at + 8, value >>> 0);
    this.#at += 12;
    return this;
  }

  text(value: string | null): this {
    const length = value === null ? 0 : Buffer.byteLength(value);
    this.#reserve(4 + length);
    if (value === null) return this.#null();
    this.#view.setInt32(this.#at, length);
    this.#at += 4;
    this.#at += this.#bytes.write(value, this.#at);
    return this;
  }

  /** What COPY is to be sent. No rows may follow. */
  end(): Buffer {
    this.#reserve(TRAILER_BYTES);
    this.#view.setInt16(this.#at, -1);
    this.#at += TRAILER_BYTES;
    return this.#bytes.subarray(0, this.#at);
  }

  #null(): this {
    this.#view.setInt32(this.#at, NULL);
    this.#at += 4;
    return this;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.#bytes.length + bytes);
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView => new DataView(buffer, byteOffset, byteLength);
