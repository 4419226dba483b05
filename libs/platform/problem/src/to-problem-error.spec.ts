import { describe, expect, it } from '@jest/globals';
import { BadRequestException, HttpException, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { TransactionOutcomeUnknownError } from '@onepool/platform-postgres';
import pg from 'pg';
import { TimeoutError } from 'rxjs';
import { problem } from './catalogue.ts';
import { isOurFault, toProblemError } from './to-problem-error.ts';
import { toRpcProblem } from './problem-filter.ts';

const databaseError = (code: string): Error =>
  Object.assign(new pg.DatabaseError('refused', 0, 'error'), { code, severity: 'ERROR' });

class EmptyResponseException extends Error {}
class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

const withCode = (code: string, statusCode: number): Error => Object.assign(new Error('boom'), { code, statusCode });

describe('mapping what was thrown to a problem', () => {
  it.each<[string, unknown, string]>([
    ['a problem stays itself', problem('limit.rate'), 'limit.rate'],
    ["a string, as Nest's NATS client rejects with", 'Error: Connection lost.', 'service.unavailable'],
    ['a subject without a responder', new EmptyResponseException('no'), 'service.unavailable'],
    ['a reply that did not come in time', new TimeoutError(), 'outcome.unknown'],
    ['a bad request of Nest', new BadRequestException('no'), 'request.invalid'],
    ['a missing page of Nest', new NotFoundException(), 'request.not_found'],
    ['an unusual client error of Nest', new HttpException('teapot', 418), 'request.invalid'],
    ['a server error of Nest', new InternalServerErrorException('db down'), 'internal'],
    ['a body that is too large', withCode('FST_ERR_CTP_BODY_TOO_LARGE', 413), 'request.too_large'],
    [
      "Fastify's refusal of JSON or of __proto__ in it",
      withCode('FST_ERR_CTP_INVALID_JSON_BODY', 400),
      'request.malformed_json',
    ],
    ['a body whose connection broke', withCode('ECONNRESET', 400), 'request.aborted'],
    ['a disk that is full', databaseError('53100'), 'service.unavailable'],
    ['a database out of memory', databaseError('53200'), 'service.unavailable'],
    ['a database with no connection left', databaseError('53300'), 'service.unavailable'],
    ['a database that is starting', databaseError('57P03'), 'service.unavailable'],
    ['a lock that was not had in time', databaseError('55P03'), 'service.unavailable'],
    ['a server that is not there', withCode('ECONNREFUSED', 0), 'service.unavailable'],
    ['a service that was not reached', new ServiceUnavailableError('away'), 'service.unavailable'],
    ['what wraps such an error', new Error('reading', { cause: databaseError('53100') }), 'service.unavailable'],
    ['a COMMIT without an answer', new TransactionOutcomeUnknownError(new Error('cut')), 'outcome.unknown'],
    ['a broken constraint', databaseError('23514'), 'internal'],
    ['bad SQL', databaseError('42601'), 'internal'],
    ['any other error', withCode('EMFILE', 0), 'internal'],
    ['an error with a code that only an object prototype knows', withCode('toString', 400), 'internal'],
    ['undefined', undefined, 'internal'],
    ['an object that is no problem', { status: 'error', message: 'Internal server error' }, 'internal'],
  ])('maps %s', (_name, thrown, code) => {
    expect(toProblemError(thrown).code).toBe(code);
  });

  it('says of every failure that passes by itself that the caller may come again', () => {
    const { retryable, retryAfterSeconds, status } = toProblemError(databaseError('53100'));
    expect({ retryable, retryAfterSeconds: retryAfterSeconds, status }).toEqual({
      retryable: true,
      retryAfterSeconds: 1,
      status: 503,
    });
  });

  it('never echoes the message of an error that is our fault', () => {
    for (const thrown of [new Error('secret'), 'secret', new InternalServerErrorException('secret'), { a: 'secret' }]) {
      expect(isOurFault(toProblemError(thrown))).toBe(true);
      expect(JSON.stringify(toRpcProblem(thrown))).not.toContain('secret');
    }
  });

  it('passes a problem of another service on unchanged', () => {
    const remote = JSON.parse(
      JSON.stringify(
        problem('outcome.unknown', { detail: 'd', retryAfterSeconds: 3, extensions: { sku: 'A' } }).toProblem(),
      ),
    ) as object;
    const error = toProblemError(remote);
    expect(error.retryable).toBe(true);
    expect(error.toProblem()).toEqual(remote);
  });
});
