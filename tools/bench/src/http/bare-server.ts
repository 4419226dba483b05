/**
 * The baseline of `http.*`: bare Fastify routes in a process of their own. They parse and validate as the app does, with
 * the same compiled schemas, and answer a constant body of the size that the app answers. No Nest, no key check, no
 * logs, no metrics, no database.
 */
import { readFileSync } from 'node:fs';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { compileQuerySchema, compileSchema } from '@onepool/platform-problem';
import fastify from 'fastify';
import type { Answers } from './answers.ts';

const [answersFile = ''] = process.argv.slice(2);
const answers = JSON.parse(readFileSync(answersFile, 'utf8')) as Answers;
const hold = compileSchema(operations.hold.body);
const sku = compileQuerySchema(operations.getAtp.params);
const atp = compileQuerySchema(operations.getAtp.query);
const atpMany = compileSchema(operations.queryAtp.body);

const JSON_TYPE = 'application/json; charset=utf-8';
const server = fastify();
server.post('/v1/reservations', (request, reply) => {
  hold.parse(request.body);
  return reply.code(201).type(JSON_TYPE).send(answers.reserve);
});
server.get('/v1/atp/:sku', (request, reply) => {
  sku.parse(request.params);
  atp.parse(request.query);
  return reply.type(JSON_TYPE).send(answers.read);
});
server.post('/v1/atp/query', (request, reply) => {
  atpMany.parse(request.body);
  return reply.type(JSON_TYPE).send(answers.read100);
});
server.get('/health/ready', () => ({ status: 'ok' }));
process.once('SIGTERM', () => process.exit(0));
await server.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
