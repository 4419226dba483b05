/**
 * The search for a program that npm does not bring. Each place it may come from is one small strategy that answers with
 * the program or with the reason why it has none; the first that has one wins.
 */
import { join } from 'node:path';
import type { SearchEnvironment } from './search-environment.ts';

export interface FoundProgram {
  readonly path: string;
  /** As the program itself reports it: `2.11.17`. */
  readonly version: string;
}

export interface Miss {
  readonly miss: string;
}

export interface ProgramSource {
  readonly name: string;
  /** Shown before a step that may take long; absent for quick ones. */
  readonly announcement?: string;
  /** A miss here ends the search: the person asked for this very program. */
  readonly final?: (environment: SearchEnvironment) => boolean;
  find(environment: SearchEnvironment): Promise<FoundProgram | Miss>;
}

/** How a program is asked for its version. */
export interface ProgramIdentity {
  readonly versionArgument: string;
  /** Reads what the program answered; undefined when another program answered. */
  readonly parseVersion: (output: string) => string | undefined;
}

export interface ProgramSearch {
  readonly environment: SearchEnvironment;
  /** Told before a step that may take long. */
  readonly onProgress?: ((message: string) => void) | undefined;
}

/** Asks the sources in order; without a program, answers the reasons of all that were asked, one a line. */
export async function searchProgram(
  sources: readonly ProgramSource[],
  { environment, onProgress }: ProgramSearch,
): Promise<FoundProgram | { readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  for (const source of sources) {
    if (source.announcement) onProgress?.(source.announcement);
    const found = await source.find(environment);
    if ('path' in found) return found;
    reasons.push(`  ${source.name}: ${found.miss}`);
    if (source.final?.(environment)) break;
  }
  return { reasons };
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

/** `${XDG_CACHE_HOME:-~/.cache}/onepool`. */
export function cacheDirectory({ variables, homeDirectory }: SearchEnvironment): string {
  return join(variables['XDG_CACHE_HOME'] || join(homeDirectory, '.cache'), 'onepool');
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
