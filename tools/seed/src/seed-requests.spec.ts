import { describe, expect, it } from '@jest/globals';
import { AVAILABILITY_OPERATIONS } from '@onepool/contracts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { demoNetwork } from './demo-network.ts';
import { seedRequests } from './seed-requests.ts';

const BODY_BYTES_MAX = 1_000_000;

describe('the requests that seed the demo network', () => {
  const requests = seedRequests(demoNetwork());

  it('satisfy the contracts of their operations', () => {
    const ajv = new Ajv2020({ strict: false, discriminator: false, validateFormats: false });
    for (const { operation, body } of requests) {
      expect(ajv.validate(AVAILABILITY_OPERATIONS[operation].body, body)).toBe(true);
    }
  });

  it('stay below the size that the API accepts', () => {
    const sizes = requests.map(({ body }) => Buffer.byteLength(JSON.stringify(body)));
    expect(Math.max(...sizes)).toBeLessThan(BODY_BYTES_MAX);
  });

  it('create what stock refers to before the stock', () => {
    const order = [...new Set(requests.map(({ what }) => what))];
    expect(order).toEqual(['nodes', 'SKUs', 'channels', 'thresholds', 'opening stock']);
  });

  it('carry the same ids and bodies at each run, so that a rerun moves nothing', () => {
    expect(seedRequests(demoNetwork())).toEqual(requests);
    const ids = requests.flatMap(({ body }) => ('id' in body ? [body.id] : []));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
