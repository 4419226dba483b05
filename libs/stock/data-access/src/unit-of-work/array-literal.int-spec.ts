import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import fc from 'fast-check';
import pg from 'pg';
import { arrayLiteral } from './array-literal.ts';

let client: pg.Client;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createTestDatabase();
  drop = database.drop;
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await drop();
});

/** No text that reaches the database holds a NUL or half of a surrogate pair. */
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\u0000', ''));
const nullable = <T>(values: fc.Arbitrary<T>) => fc.array(fc.option(values), { maxLength: 8 });

it('PostgreSQL reads what was written, of every type that a batch has', async () => {
  await fc.assert(
    fc.asyncProperty(
      nullable(
        fc.oneof(text, fc.json(), fc.constantFrom('', 'NULL', '{', '"', '\\', ',', '\n"', '"\t\\', '\u0085"', '"😀\\')),
      ),
      nullable(fc.integer()),
      nullable(fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes))),
      async (texts, numbers, bytes) => {
        const { rows } = await client.query(
          'SELECT $1::text[] AS texts, $2::bigint[]::text AS numbers, $3::bytea[] AS bytes',
          [arrayLiteral(texts), arrayLiteral(numbers), arrayLiteral(bytes)],
        );
        const literal = `{${numbers.map((one) => one ?? 'NULL').join(',')}}`;
        expect(rows).toEqual([{ texts, numbers: literal, bytes }]);
      },
    ),
    { numRuns: 200 },
  );
});

it('refuses what it does not know', () => {
  expect(() => arrayLiteral([new Date()])).toThrow(TypeError);
});
