/** The apps the runtime starts. Another app is another line. */
export interface App {
  /** Also its folder below `apps/` and its place in `--replicas`. */
  readonly name: string;
  readonly portOffset: number;
  /** The program, below the workspace's root. */
  readonly entry: string;
  /**
   * How large its heap may grow, in MB; V8's own choice unless given. V8 leaves garbage lie as long as there is room, so a
   * replica of which nothing is said takes twice the memory that it needs.
   */
  readonly heapMb?: number;
}

export const APPS: readonly App[] = [
  { name: 'availability', portOffset: 1, entry: 'apps/availability/dist/main.js', heapMb: 512 },
];

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
