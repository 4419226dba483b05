import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { coerce } from './coerce.ts';
import { describeExpectation } from './describe-expectation.ts';
import { OperatorError } from './operator-error.ts';
import { isSecret } from './secret.ts';

/** One setting that is wrong. */
export interface ConfigProblem {
  readonly name: string;
  readonly expected: string;
  /** What was there instead; never the value of a secret. */
  readonly actual: string;
}

/** Every problem of a configuration at once; the message is for the person who starts the program. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const width = Math.max(...problems.map(({ name }) => name.length));
    const lines = problems.map(
      ({ name, expected, actual }) => `  ${name.padEnd(width)}  expected ${expected}, got ${actual}`,
    );
    const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
    super(`The configuration has ${count}:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads a configuration from environment variables named like the schema's properties. An empty variable counts as not
 * set; one that is not set takes its schema's `default`, or is left out if it is optional. Lists are separated by commas.
 *
 * @returns the configuration, frozen.
 * @throws ConfigError with every problem at once.
 * @example
 * const config = loadConfig(Type.Object({ PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 3001 }) }));
 */
export function loadConfig<S extends TObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Static<S>> {
  const config: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  const required = new Set<string>(schema.required ?? []);
  for (const [name, property] of Object.entries(schema.properties) as [string, TSchema][]) {
    const text = env[name];
    const isSet = text !== undefined && text.trim() !== '';
    const value: unknown = isSet ? coerce(property, text.trim()) : property['default'];
    if (value === undefined) {
      if (required.has(name)) problems.push({ name, expected: describeExpectation(property), actual: 'nothing' });
    } else if (Value.Check(property, value)) {
      config[name] = value;
    } else {
      const actual = isSecret(property) ? 'a secret that is not shown' : JSON.stringify(text ?? value);
      problems.push({ name, expected: describeExpectation(property), actual });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Readonly<Static<S>>;
}
