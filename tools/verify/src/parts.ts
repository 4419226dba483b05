/** What `npm run verify` knows: the parts of the product, and the commands that try each harder than CI can. */

/** A program of this workspace with its arguments. */
export interface Step {
  readonly title: string;
  /** What npm is told: `['test', '--', 'libs/stock/domain']`. */
  readonly npm: readonly string[];
  /** On top of the environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** True when the command needs a running system: it then gets one of its own, empty. */
  readonly needsSystem?: true;
}

export interface Part {
  readonly name: string;
  readonly what: string;
  /** About how long a turn takes on a quiet machine with two cores. */
  readonly turnMinutes: number;
  /** What turn 0, 1, 2, … does. The seed is another one in each turn. */
  turn(turn: number, seed: number): Step;
}

const test = (title: string, ...patterns: readonly string[]): Step => ({ title, npm: ['test', '--', ...patterns] });
const script = (title: string, name: string, ...args: readonly (string | number)[]): Step => ({
  title,
  npm: ['run', name, '--', ...args.map(String)],
});

/** Pairwise: each two of the three choices meet in one clone. */
const CLONES = [
  { user: 'root', node: '20', nats: 'cold' },
  { user: 'root', node: 'pinned', nats: 'cached' },
  { user: 'ordinary', node: '20', nats: 'cached' },
  { user: 'ordinary', node: 'pinned', nats: 'cold' },
] as const;

const QUARTERS = 4;

function cloneStep(turn: number): Step {
  const { user, node, nats } = CLONES[turn % CLONES.length] ?? CLONES[0];
  const title = `README in a fresh clone: ${user} user, Node ${node}, nats-server ${nats}`;
  return script(title, 'verify:clone', '--user', user, '--node', node, '--nats', nats);
}

/** @param trace the orders to replay: the whole trace where the machine has it, else the excerpt in the repository */
export function partsFor(trace: string): readonly Part[] {
  return [
    {
      name: 'laws',
      what: 'property tests of the pure rules; every run draws new cases, and a failure prints its seed',
      turnMinutes: 1,
      turn: () =>
        test('laws', 'libs/.*/domain/', 'libs/platform/.*[^t]\\.spec', 'libs/stock/data-access/.*[^t]\\.spec'),
    },
    {
      name: 'races',
      what: 'replicas that race for the same units, pairs of commands, feeds beside sales, on a real PostgreSQL',
      turnMinutes: 1.5,
      turn: () => test('races', 'engine-specs/(races|pairs|soak|laws|optimistic|held-gates|memory)', 'feed-specs/'),
    },
    {
      name: 'supply',
      what: 'histories on engines and a database, against the simple model and at once; by itself 3,000 of them, or --bugs: planted ones',
      turnMinutes: 1,
      turn: (_turn, seed) =>
        script(`supply histories, seed ${seed + 1}`, 'verify:supply', '--histories', 150, '--seed', seed + 1),
    },
    {
      name: 'mirrors',
      what: 'lists of lost streams, kills and changes, from which a mirror of snapshots and facts ends equal to its source',
      turnMinutes: 3,
      turn: (_turn, seed) => ({
        ...test(`mirrors, seed ${seed}`, 'mirror-simulation'),
        variables: { MIRROR_RUNS: '8', MIRROR_SEED: String(seed) },
      }),
    },
    {
      name: 'kills',
      what: 'long replays under kill -9 and SIGSTOP of every process, judged from the client’s side',
      turnMinutes: 6,
      turn: (_turn, seed) => script(`fault drill, seed ${seed}`, 'faults', '--seed', seed, '--orders', 3_000),
    },
    {
      name: 'failpoints',
      what: 'a quarter of the planted bugs and of the commits: each bug is caught from outside, each commit survives kills',
      turnMinutes: 3,
      turn: (turn, seed) => {
        const share = `${(turn % QUARTERS) + 1}/${QUARTERS}`;
        return script(`failpoints, share ${share}, seed ${seed}`, 'failpoints', '--seed', seed, '--share', share);
      },
    },
    {
      name: 'sales',
      what: 'flash sales: 20,000 buyers, 1,000 units, two replicas, counters that sell meanwhile',
      turnMinutes: 1.5,
      turn: (_turn, seed) => script(`flash sale, seed ${seed}`, 'load', 'flash-sale', '--seed', seed),
    },
    {
      name: 'trace',
      what: 'a replay of the whole trace of orders, audited',
      turnMinutes: 3,
      turn: (_turn, seed) => ({
        ...script(`replay of ${trace}, seed ${seed}`, 'replay', '--trace', trace, '--seed', seed),
        needsSystem: true,
      }),
    },
    {
      name: 'scale',
      what: 'resets of a million rows, ten million stock rows: results are judged, figures are printed',
      turnMinutes: 12,
      turn: () => script('feeds and scale', 'bench', 'feed', 'scale'),
    },
    {
      name: 'docs',
      what: 'the command blocks of the documentation that CI has no time for',
      turnMinutes: 3,
      turn: () => script('command blocks', 'docs', 'verify'),
    },
    {
      name: 'clones',
      what: 'both commands of the README in fresh clones: root or not, Node 20 or the pinned one, nats-server cached or not',
      turnMinutes: 5,
      turn: cloneStep,
    },
  ];
}

/** A part and the number of turns that it gets. */
export interface Planned {
  readonly part: Part;
  readonly turns: number;
}

/**
 * How often each part has its turn within the minutes: one part as often as fits, many alike by time, and each at least
 * once unless its single turn is longer than all of the time.
 */
export function plan(parts: readonly Part[], minutes: number): readonly Planned[] {
  const fitting = parts.filter(({ turnMinutes }) => turnMinutes <= minutes);
  let left = minutes;
  const turns = new Map<Part, number>();
  for (let progressed = true; progressed;) {
    progressed = false;
    const byTimeHad = [...fitting].sort(
      (a, b) => (turns.get(a) ?? 0) * a.turnMinutes - (turns.get(b) ?? 0) * b.turnMinutes,
    );
    for (const part of byTimeHad) {
      if (part.turnMinutes > left) continue;
      turns.set(part, (turns.get(part) ?? 0) + 1);
      left -= part.turnMinutes;
      progressed = true;
      break;
    }
  }
  return parts.flatMap((part) => (turns.has(part) ? [{ part, turns: turns.get(part) ?? 0 }] : []));
}
