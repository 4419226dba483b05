/** Jest begins with the largest files where it knows no better; these take longest whatever their size, and would end a run alone. */
import testSequencer from '@jest/test-sequencer';

// Its types are those of its CommonJS half.
const Sequencer = testSequencer as unknown as typeof testSequencer.default;
type Tests = Parameters<InstanceType<typeof Sequencer>['sort']>[0];

const LONGEST = [
  'libs/stock/domain/src/pool.spec.ts',
  'apps/availability/src/engine-specs/histories.int-spec.ts',
  'tools/runtime/src/runtime.int-spec.ts',
  'libs/client/src/mirror/mirror-simulation.int-spec.ts',
  'tools/new-app/src/new-app.int-spec.ts',
  'libs/simulator/data-access/src/run-replay.spec.ts',
];

const rank = (path: string): number => {
  const found = LONGEST.findIndex((file) => path.endsWith(file));
  return found < 0 ? LONGEST.length : found;
};

export default class LongestFirst extends Sequencer {
  override async sort(tests: Tests): Promise<Tests> {
    const sorted = await super.sort(tests);
    return [...sorted].sort((a, b) => rank(a.path) - rank(b.path));
  }
}
