import { describe, expect, it } from '@jest/globals';
import { SKU_CHANGED, reservationSubject } from '@onepool/contracts';
import { FactLog } from './fact-log.ts';

const changed = (id: string, fromVersion: number, toVersion: number, sku = 'r1-A') => ({
  id,
  subject: SKU_CHANGED,
  key: `sku/${sku}`,
  data: { sku, fromVersion, toVersion, recordedAt: '2026-01-01T00:00:00Z', rows: [] },
  receivedAtMs: 0,
});

describe('FactLog', () => {
  it('counts a fact once, in whatever order and however often it comes, and only those of its run', () => {
    const log = new FactLog('r1-');
    for (const fact of [changed('b', 2, 5), changed('a', 0, 2), changed('b', 2, 5), changed('x', 0, 1, 'r2-A')])
      log.take(fact);
    expect([log.received, log.versionOf('r1-A'), log.gapsOf('r1-A', 5)]).toEqual([2, 5, 0]);
  });

  it('finds a hole in the chain of versions, and one at its end', () => {
    const log = new FactLog('r1-');
    log.take(changed('a', 0, 2));
    log.take(changed('c', 3, 4));
    expect([log.gapsOf('r1-A', 4), log.gapsOf('r1-A', 5), log.gapsOf('r1-unheard', 0)]).toEqual([1, 2, 0]);
  });

  it('keeps what moved and what expired, with the time of arrival', () => {
    const log = new FactLog('r1-');
    const take = (fact: 'moved' | 'expired' | 'confirmed', changes: object[]): void =>
      log.take({
        id: fact,
        subject: reservationSubject(fact),
        key: 'reservation/prn_shop/r1-o1',
        data: { reservation: 'r1-o1', version: 2, fact, recordedAt: '1970-01-01T00:00:01Z', changes },
        receivedAtMs: 7,
      });
    take('moved', [{ line: '1', sku: 'r1-A', node: 'n1', to: 'n2', quantity: 3 }]);
    take('expired', [{ line: '1', sku: 'r1-A', node: 'n1', quantity: 1 }]);
    take('confirmed', [{ line: '1', sku: 'r1-A', node: 'n1', quantity: 1 }]);
    const known = { reservation: 'r1-o1', version: 2, recordedAtMs: 1_000, receivedAtMs: 7, sku: 'r1-A', node: 'n1' };
    expect(log.moves).toEqual([
      { ...known, to: 'n2', quantity: 3 },
      { ...known, quantity: 1 },
    ]);
    expect(log.confirms).toEqual([{ reservation: 'r1-o1', recordedAtMs: 1_000 }]);
  });
});
