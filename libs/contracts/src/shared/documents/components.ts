/**
 * Schemas by name, for the documents that describe the API. A schema that the contracts export is described once, below
 * the name of its export, and referred to wherever it occurs.
 */
import { Kind, type TSchema } from '@sinclair/typebox';
import type { Operation } from '../operation.ts';

type Modules = readonly Readonly<Record<string, unknown>>[];
type Operations = Readonly<Record<string, Operation>>;

const isSchema = (value: unknown): value is TSchema => typeof value === 'object' && value !== null && Kind in value;

/** Names by what the schema says: an optional member's schema is a copy, and says the same. */
function namesOf(modules: Modules, operations: Operations): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, schema] of modules.flatMap((module) => Object.entries(module))) {
    if (isSchema(schema) && !names.has(JSON.stringify(schema))) names.set(JSON.stringify(schema), name);
  }
  for (const { response } of Object.values(operations)) {
    const { items: list } = (response['properties'] ?? {}) as Record<string, { items?: TSchema } | undefined>;
    const items = list?.items;
    const name = names.get(JSON.stringify(items));
    if (name !== undefined && !names.has(JSON.stringify(response))) names.set(JSON.stringify(response), `${name}Page`);
  }
  return names;
}

/** Collects the schemas that one document refers to. */
export class SchemaComponents {
  readonly #schemas = new Map<string, unknown>();
  readonly #names: ReadonlyMap<string, string>;

  /** `modules`: whose exports are described by name. */
  constructor(modules: Modules, operations: Operations) {
    this.#names = namesOf(modules, operations);
  }

  /** The schema with references in place of every named one, itself included. */
  refer(schema: unknown): object {
    return this.#refer(schema) as object;
  }

  /** Names a schema that the contracts do not export, and refers to it. */
  define(name: string, schema: unknown): object {
    if (!this.#schemas.has(name)) this.#schemas.set(name, this.#within(schema));
    return { $ref: `#/components/schemas/${name}` };
  }

  /** What was referred to so far, by name. */
  schemas(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#schemas].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #refer(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const name = this.#names.get(JSON.stringify(value));
    if (name === undefined) return this.#within(value);
    if (!this.#schemas.has(name)) {
      this.#schemas.set(name, undefined);
      this.#schemas.set(name, this.#within(value));
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #within(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#refer(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#refer(member)]));
  }
}
