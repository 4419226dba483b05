import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** Every write to it fails as on a full disk. */
const FULL = '/dev/full';

const PROGRAM = `
import { createLogger } from '${join(import.meta.dirname, 'logger.ts')}';
const logger = createLogger({ name: 'spec' });
for (let turn = 0; turn < 200; turn += 1) {
  logger.info({ turn, text: 'x'.repeat(100_000) }, 'a line that nobody can keep');
  await new Promise((resolve) => setImmediate(resolve));
}
logger.error(new Error('the last one'));
console.error('still here, with ' + Math.round(process.memoryUsage().heapUsed / 1e6) + ' MB');
`;

(existsSync(FULL) ? describe : describe.skip)('an app whose log is on a full disk', () => {
  it('goes on, and keeps few of the lines that it cannot write', () => {
    const log = openSync(FULL, 'w');
    const args = ['--conditions=@onepool/source', '--input-type=module', '-e', PROGRAM];
    const app = spawnSync(process.execPath, args, { stdio: ['ignore', log, 'pipe'], encoding: 'utf8' });
    closeSync(log);
    const [, heapMb] = /still here, with (\d+) MB/.exec(app.stderr) ?? [];
    expect(app.stderr).toContain('still here');
    expect(Number(heapMb)).toBeLessThan(60);
    expect(app.status).toBe(0);
  });
});
