import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { classifyPgError, isDefiniteFailure, isOutage, isTransient } from './errors.ts';

function databaseError(code: string, severity = 'ERROR'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 0, 'error'), { code, severity });
}

describe('classifyPgError', () => {
  it.each([
    ['23505', 'unique_violation'],
    ['23514', 'check_violation'],
    ['40001', 'serialization'],
    ['40P01', 'deadlock'],
    ['55P03', 'lock_timeout'],
    ['57014', 'statement_timeout'],
    ['08000', 'connection'],
    ['08006', 'connection'],
    ['25P03', 'connection'],
    ['53000', 'resources'],
    ['53100', 'resources'],
    ['53200', 'resources'],
    ['53300', 'connection'],
    ['53400', 'resources'],
    ['57000', 'other'],
    ['57P01', 'connection'],
    ['57P02', 'connection'],
    ['57P03', 'connection'],
    ['57P04', 'connection'],
    ['57P05', 'connection'],
    ['52000', 'other'],
    ['54000', 'other'],
    ['5', 'other'],
    ['42601', 'other'],
  ])('maps SQLSTATE %s to %s', (code, kind) => {
    expect(classifyPgError(databaseError(code))).toBe(kind);
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])('maps socket error %s to connection', (code) => {
    expect(classifyPgError(Object.assign(new Error('socket'), { code }))).toBe('connection');
  });

  it.each(['Connection terminated unexpectedly', 'Query read timeout', 'timeout exceeded when trying to connect'])(
    'recognises the error without a code: %s',
    (message) => {
      expect(classifyPgError(new Error(message))).toBe('connection');
    },
  );

  it('looks through the wrappers that node and callers put around the first error', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    expect(classifyPgError(new AggregateError([refused]))).toBe('connection');
    expect(classifyPgError(new Error('while reading', { cause: databaseError('40P01') }))).toBe('deadlock');
  });

  it('answers other for what it does not know', () => {
    expect(classifyPgError('text')).toBe('other');
    expect(classifyPgError(new Error('some bug'))).toBe('other');
  });
});

describe('isTransient', () => {
  it.each([
    ['40001', true],
    ['40P01', true],
    ['53100', true],
    ['53200', true],
    ['53300', true],
    ['55P03', true],
    ['57014', true],
    ['57P03', true],
    ['ECONNREFUSED', true],
    ['22003', false],
    ['23505', false],
    ['23514', false],
    ['42601', false],
  ])('knows whether a request that failed with %s may succeed in a moment: %s', (code, expected) => {
    expect(isTransient(databaseError(code))).toBe(expected);
  });
});

describe('isOutage', () => {
  it.each([
    ['53100', true],
    ['57P01', true],
    ['ECONNRESET', true],
    ['40P01', false],
    ['55P03', false],
    ['23505', false],
  ])('knows whether the next statement would fare no better than one that failed with %s: %s', (code, expected) => {
    expect(isOutage(databaseError(code))).toBe(expected);
  });
});

describe('isDefiniteFailure', () => {
  it('trusts the server only if it kept the session', () => {
    expect(isDefiniteFailure(databaseError('40001'))).toBe(true);
    expect(isDefiniteFailure(databaseError('57P01', 'FATAL'))).toBe(false);
    expect(isDefiniteFailure(new Error('Connection terminated unexpectedly'))).toBe(false);
  });
});
