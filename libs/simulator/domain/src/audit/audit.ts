/** The whole audit: a pure function of what the client did, what it was told and what it received. */
import type { ConfirmFact, History, MoveFact } from '../history/history.ts';
import type { StockOfSku } from '../messages.ts';
import { auditBalances } from './balance.ts';
import { effectsOf } from './effects-of.ts';
import type { Finding } from './finding.ts';
import { findOversold } from './oversold.ts';
import { boundsBySku } from './row-bounds.ts';
import { findUndersold } from './undersold.ts';

export interface AuditInput {
  readonly history: History;
  readonly moves: readonly MoveFact[];
  readonly confirmFacts: readonly ConfirmFact[];
  /** The book of every SKU of the run, read when nothing moved any more. */
  readonly stocks: readonly StockOfSku[];
}

export interface AuditResult {
  /** Units promised that were not there. */
  readonly oversold: number;
  /** Calls refused, or granted in part, although enough was there. */
  readonly undersold: number;
  readonly broken: number;
  readonly brokenExpected: number;
  /** Units by which the book differs from the acknowledged effects. */
  readonly lost: number;
  /** Units that facts say were moved to another node. */
  readonly moved: number;
  readonly findings: readonly Finding[];
}

export const audit = ({ history, moves, confirmFacts, stocks }: AuditInput): AuditResult => {
  const { effects, holds, floating } = effectsOf(history, moves, confirmFacts);
  const bounds = boundsBySku(effects);
  const oversold = findOversold(bounds);
  const undersold = findUndersold(holds, bounds, floating);
  const balance = auditBalances(stocks, bounds, floating);
  return {
    oversold: oversold.reduce((sum, { count }) => sum + count, 0),
    undersold: undersold.length,
    broken: balance.broken,
    brokenExpected: balance.brokenExpected,
    lost: balance.lost,
    moved: moves.reduce((sum, { to, quantity }) => sum + (to === undefined ? 0 : quantity), 0),
    findings: [...oversold, ...undersold, ...balance.findings],
  };
};
