/** Whether the commands of a block can be followed: npm scripts, their options and the files they name exist. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Fence } from './command-blocks.ts';

/** Options of one npm script; undefined where another program reads them. */
export type OptionsOfScript = ReadonlyMap<string, ReadonlySet<string> | undefined>;

const NPM_COMMANDS: readonly string[] = ['ci', 'install', 'start', 'test', 'run'];
/** A word that is no path of ours: an address, a pattern, or what a shell makes of it. */
const NO_PATH = /^(https?:|[a-z]+:\/\/|\/|~)|[*$`{}<>=…?]/;
const TOP_FOLDERS = /^(apps|docs|libs|load-tests|tools)\//;

/** `npm run load -- smoke --quick` for each script and its options, as the workspace declares them. */
export function optionsOfScripts(root: string): OptionsOfScript {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return new Map(
    Object.entries(scripts).map(([name, command]) => {
      const programs = [...command.matchAll(/(?<!\S)(?:apps|tools)\/\S+\.ts\b/g)].map(([program]) => program);
      return [
        name,
        programs.length === 0 ? undefined : declaredOptions(join(root, programs.at(-1) ?? ''), root),
      ] as const;
    }),
  );
}

/** Options stand in a program's sources, and in those of another that it starts, where a text or a line of its usage begins with them. */
function declaredOptions(program: string, root: string): ReadonlySet<string> {
  const texts = sourcesBeside(program);
  const started = texts.flatMap((text) => [
    ...text.matchAll(/'((?:apps|tools)\/[\w/-]+\/(?:src|dist)\/[\w/-]+)\.[jt]s'/g),
  ]);
  const all = [
    ...texts,
    ...started.flatMap(([, path = '']) => sourcesBeside(join(root, path.replace('/dist/', '/src/')))),
  ];
  const options = all.flatMap((text) => [...text.matchAll(/(?:['"`]|\n +)(--[a-z][a-z-]*)/g)].map(([, one]) => one));
  return new Set([...options.filter((one) => one !== undefined), '--help']);
}

function sourcesBeside(program: string): readonly string[] {
  const folder = dirname(program);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('spec.ts'));
  return sources.map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** What cannot be followed in a block, a sentence each. */
export function commandFaults(block: Fence, scripts: OptionsOfScript, root: string): readonly string[] {
  return commandsOf(block.text).flatMap((words) => [...npmFaults(words, scripts), ...fileFaults(words, root)]);
}

/** The simple commands of a script, each as its words; comments and what stands within quotes are left out. */
export function commandsOf(text: string): readonly (readonly string[])[] {
  const bare = text
    .replaceAll('\\\n', ' ')
    .replaceAll(/(?<=^|\s)#.*$|'[^']*'|"(?:[^"\\]|\\.)*"/gm, (found) => (found.startsWith('#') ? '' : "''"));
  const commands = bare.split(/\n|\|\||&&|[|;&()]/);
  return commands.map((command) => command.split(/\s+/).filter(Boolean)).filter((words) => words.length > 0);
}

function npmFaults(words: readonly string[], scripts: OptionsOfScript): readonly string[] {
  const at = words.indexOf('npm');
  if (at === -1) return [];
  const [command = '', ...rest] = words.slice(at + 1).filter((word) => word !== '-s' && word !== '--silent');
  if (!NPM_COMMANDS.includes(command)) return [`npm ${command}: no command that these pages use`];
  if (command === 'ci' || command === 'install') return [];
  const name = command === 'run' ? (rest[0] ?? '') : command;
  if (!scripts.has(name)) return [`npm run ${name}: there is no such script`];
  const options = scripts.get(name);
  const isOption = (word: string): boolean => /^--[a-z]/.test(word);
  const separator = rest.includes('--') ? rest.indexOf('--') : rest.length;
  const lost = rest.slice(0, separator).filter(isOption);
  const unknown = options && rest.slice(separator).filter((word) => isOption(word) && !options.has(nameOf(word)));
  return [
    ...lost.map((word) => `${name} ${word}: npm keeps it for itself; put -- before it`),
    ...(unknown ?? []).map((word) => `${name} -- ${word}: there is no such option`),
  ];
}

const nameOf = (option: string): string => option.split('=')[0] ?? option;

function fileFaults(words: readonly string[], root: string): readonly string[] {
  const paths = words.filter((word) => TOP_FOLDERS.test(word) && !NO_PATH.test(word));
  // What a build makes is there as long as its source is.
  const sourceOf = (path: string): string => path.replace(/\/dist\/(.*)\.js$/, '/src/$1.ts');
  return paths
    .filter((path) => !existsSync(join(root, sourceOf(path))))
    .map((path) => `${path}: there is no such file`);
}
