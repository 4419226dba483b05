import { describe, expect, it } from '@jest/globals';
import { RouteIndex } from './route-index.ts';

const index = new RouteIndex();
index.add('/v1/skus/:sku', 'GET');
index.add('/v1/skus/:sku', ['PUT', 'DELETE']);
index.add('/v1/skus/import', 'POST');
index.add('/', 'GET');

describe('RouteIndex', () => {
  it.each([
    ['/v1/skus/a', ['DELETE', 'GET', 'PUT']],
    ['/v1/skus/a?x=/b', ['DELETE', 'GET', 'PUT']],
    ['/v1/skus/import', ['DELETE', 'GET', 'POST', 'PUT']],
    ['/v1/skus/', []],
    ['/v1/skus/a/b', []],
    ['/v1/skus', []],
    ['/', ['GET']],
    ['', []],
    ['/'.repeat(16_000), []],
  ])('%s', (url, methods) => {
    expect(index.methodsFor(url)).toEqual(methods);
  });
});
