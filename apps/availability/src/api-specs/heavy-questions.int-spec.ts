import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
});
afterAll(() => app.close());

describe('a heavy question', () => {
  it.each([
    ['verifyLedger', { body: {} }],
    ['countEvents', { query: { namePrefix: 'x' } }],
  ] as const)('%s is answered one at a time; another is told when to come again', async (id, call) => {
    const { auditPool } = app.availability.engine;
    const { max } = auditPool.options;
    const taken = await Promise.all(Array.from({ length: max }, () => auditPool.connect()));
    const answers = [app.http(id, call), app.http(id, call)];
    const refused = await Promise.race(answers);
    expect(problemOf(refused)).toMatchObject({ status: 429, code: 'limit.rate' });
    expect(refused.headers).toMatchObject({ 'retry-after': '1' });
    taken.forEach((client) => client.release());
    expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([200, 429]);
  });
});
