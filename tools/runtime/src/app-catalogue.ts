/** The apps the runtime starts. Another app is another line. */
export interface App {
  /** Also its folder below `apps/` and its place in `--replicas`. */
  readonly name: string;
  readonly portOffset: number;
  /** The program, below the workspace's root. */
  readonly entry: string;
}

export const APPS: readonly App[] = [{ name: 'availability', portOffset: 1, entry: 'apps/availability/dist/main.js' }];

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
  readonly entry: string;
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
  return apps.flatMap(({ name, portOffset, entry }) =>
    Array.from({ length: replicas.get(name) ?? 1 }, (_, index) => {
      const port = index === 0 ? portBase + portOffset : furtherPort++;
      return Object.freeze({ name: `${name}-${index + 1}`, app: name, port, entry });
    }),
  );
}
