/**
 * The search for a program that npm does not bring. Each place it may come from is one small strategy that answers with
 * the program or with the reason why it has none; the first that has one wins.
 */
import { MissMemory } from './miss-memory.ts';
import type { SearchEnvironment } from './search-environment.ts';

export interface FoundProgram {
  readonly path: string;
  /** As the program itself reports it: `2.11.17`. */
  readonly version: string;
  /** The name of the source that had it. */
  readonly source?: string;
}

export interface Miss {
  readonly miss: string;
}

export interface ProgramSource {
  readonly name: string;
  /** Shown before a step that may take long; absent for quick ones. A miss of such a step is remembered. */
  readonly announcement?: string;
  /** A miss here ends the search: the person asked for this very program. */
  readonly final?: (environment: SearchEnvironment) => boolean;
  /** `say` is told how far a long step has come. */
  find(environment: SearchEnvironment, say: (progress: string) => void): Promise<FoundProgram | Miss>;
}

/** How a program is asked for its version. */
export interface ProgramIdentity {
  readonly versionArgument: string;
  /** Reads what the program answered; undefined when another program answered. */
  readonly parseVersion: (output: string) => string | undefined;
}

export interface ProgramSearch {
  readonly environment: SearchEnvironment;
  /** Told before a step that may take long, and how far it has come. */
  readonly onProgress?: ((message: string) => void) | undefined;
  /** The program's name: with it, misses that took long are remembered in the cache and not tried again for a day. */
  readonly program?: string;
}

/**
 * Asks the sources in order; without a program, answers the reasons of all that were asked, one a line.
 *
 * A source whose miss is remembered is passed over as long as another has a program. Where none has, it is asked again:
 * then there is nothing to lose.
 */
export async function searchProgram(
  sources: readonly ProgramSource[],
  { environment, onProgress = () => undefined, program }: ProgramSearch,
): Promise<FoundProgram | { readonly reasons: readonly string[] }> {
  const memory = program === undefined ? undefined : await MissMemory.read(environment, program);
  const reasons = new Map<string, string>();
  const ask = async (source: ProgramSource): Promise<FoundProgram | undefined> => {
    if (source.announcement) onProgress(source.announcement);
    const found = await source.find(environment, onProgress);
    if ('path' in found) return { ...found, source: source.name };
    reasons.set(source.name, found.miss);
    if (source.announcement) await memory?.remember(source.name, found.miss);
    return undefined;
  };
  const passedOver: ProgramSource[] = [];
  for (const source of sources) {
    if (memory?.knows(source.name)) {
      passedOver.push(source);
      continue;
    }
    const found = await ask(source);
    if (found) return found;
    if (source.final?.(environment)) return { reasons: lines(sources, reasons) };
  }
  for (const source of passedOver) {
    const found = await ask(source);
    if (found) return found;
  }
  return { reasons: lines(sources, reasons) };
}

function lines(sources: readonly ProgramSource[], reasons: ReadonlyMap<string, string>): readonly string[] {
  return sources.filter(({ name }) => reasons.has(name)).map(({ name }) => `  ${name}: ${reasons.get(name)}`);
}

/** The program that an environment variable names; another is never taken instead. */
export function namedByVariable(variable: string, identity: ProgramIdentity): ProgramSource {
  return {
    name: variable,
    final: ({ variables }) => Boolean(variables[variable]),
    async find(environment) {
      const path = environment.variables[variable];
      return path ? probeProgram(environment, identity, path) : { miss: 'not set' };
    },
  };
}

/** Installs at `target` and tries the result; whatever goes wrong is the reason of a miss, and the search goes on. */
export async function installProgram(
  environment: SearchEnvironment,
  identity: ProgramIdentity,
  target: string,
  make: (directory: string) => Promise<string>,
): Promise<FoundProgram | Miss> {
  try {
    await environment.install(target, make);
  } catch (error) {
    return { miss: error instanceof Error ? error.message : String(error) };
  }
  return probeProgram(environment, identity, target);
}

/** Runs the program for its version. */
export async function probeProgram(
  environment: SearchEnvironment,
  { versionArgument, parseVersion }: ProgramIdentity,
  path: string,
): Promise<FoundProgram | Miss> {
  const { code, output } = await environment.run(path, [versionArgument]);
  const version = parseVersion(output);
  if (code === 0 && version !== undefined) return { path, version };
  return { miss: code === 127 ? `${path} cannot be run` : `${path} ${versionArgument} answered: ${lastLine(output)}` };
}

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
