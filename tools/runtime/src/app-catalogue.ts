/**
 * The apps that the runtime starts: every folder below `apps/` whose package.json says how, under `onepool`. Another app is
 * another folder.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { StartError } from './start-error.ts';

/** `onepool` in the package.json of an app. */
const Manifest = Type.Object(
  {
    /** Its port, counted from the base: 1 to 9. */
    port: Type.Integer({ minimum: 1, maximum: 9 }),
    /**
     * How large its heap may grow, in MB; V8's own choice unless given. V8 leaves garbage lie as long as there is room, so a
     * replica of which nothing is said takes twice the memory that it needs.
     */
    heapMb: Type.Optional(Type.Integer({ minimum: 64 })),
    /** A program below the workspace's root that fills an empty system over the app's own API, given `--url` and `--key-file`. */
    seed: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

export interface App {
  /** Also its folder below `apps/` and its place in `--replicas`. */
  readonly name: string;
  readonly portOffset: number;
  /** The program, below the workspace's root. */
  readonly entry: string;
  /** The program that brings its schemas up to date. */
  readonly migrate?: string;
  readonly seed?: string;
  readonly heapMb?: number;
}

/** @throws StartError when a manifest is not as it should be, or two apps want one port. */
export function readApps(root: string): readonly App[] {
  const apps = readdirSync(join(root, 'apps'))
    .flatMap((name) => appIn(root, name))
    .sort((one, other) => one.portOffset - other.portOffset);
  for (const [index, { name, portOffset }] of apps.entries()) {
    const before = apps[index - 1];
    if (before?.portOffset !== portOffset) continue;
    throw new StartError(
      `apps/${before.name} and apps/${name} both have the port +${portOffset} in their package.json.`,
    );
  }
  return apps;
}

function appIn(root: string, name: string): readonly App[] {
  const folder = `apps/${name}`;
  const file = join(root, folder, 'package.json');
  if (!existsSync(file)) return [];
  const { onepool } = JSON.parse(readFileSync(file, 'utf8')) as { onepool?: Static<typeof Manifest> };
  if (onepool === undefined) return [];
  const [fault] = Value.Errors(Manifest, onepool);
  if (fault) throw new StartError(`${folder}/package.json: onepool${fault.path}: ${fault.message}.`);
  const { port, heapMb, seed } = onepool;
  const hasMigrations = existsSync(join(root, folder, 'src/migrate.ts'));
  return [
    {
      name,
      portOffset: port,
      entry: `${folder}/dist/main.js`,
      ...(hasMigrations && { migrate: `${folder}/dist/migrate.js` }),
      ...(seed !== undefined && { seed }),
      ...(heapMb !== undefined && { heapMb }),
    },
  ];
}

export const POSTGRES_PORT_OFFSET = 10;
export const NATS_PORT_OFFSET = 11;
/** First replicas have their app's own port; all further ones share the range from here on. */
const FURTHER_REPLICAS_OFFSET = 21;

/** One process of an app. */
export interface Instance {
  /** `availability-1`. */
  readonly name: string;
  readonly app: string;
  readonly port: number;
  /** Of node: its options and the program. */
  readonly args: readonly string[];
}

/**
 * The processes to start and their ports: with base 3000 and two replicas of availability, 3001 and 3021.
 * `replicas` holds how many of an app run; one where it says nothing.
 */
export function planInstances(
  apps: readonly App[],
  portBase: number,
  replicas: ReadonlyMap<string, number>,
): readonly Instance[] {
  let furtherPort = portBase + FURTHER_REPLICAS_OFFSET;
  return apps.flatMap(({ name, portOffset, entry, heapMb }) =>
    Array.from({ length: replicas.get(name) ?? 1 }, (_, index) => {
      const port = index === 0 ? portBase + portOffset : furtherPort++;
      const args = [...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]), entry];
      return Object.freeze({ name: `${name}-${index + 1}`, app: name, port, args });
    }),
  );
}
