/** A thread: answers its parent with the API reference's script, compressed, as Scalar's Fastify plugin would serve it. */
import { parentPort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import apiReference from '@scalar/fastify-api-reference';
import { fastify } from 'fastify';

const server = fastify();
await server.register(apiReference, { routePrefix: '/docs', configuration: { url: '/openapi.json' } });
const { statusCode, rawPayload } = await server.inject('/docs/js/scalar.js');
if (statusCode !== 200) throw new Error(`The API reference's plugin answered ${statusCode} for its script.`);
parentPort?.postMessage(gzipSync(rawPayload, { level: 9 }));
