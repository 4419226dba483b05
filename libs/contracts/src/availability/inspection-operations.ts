/** Operations on units that wait for approval. */
import { requestSubject } from '../shared/module-contract.ts';
import { type Operation, get, post } from '../shared/operation.ts';
import { pageOf } from '../shared/primitives.ts';
import { STOCK_SCOPE } from './facts.ts';
import {
  Inspection,
  InspectionParam,
  InspectionQuery,
  JUDGEMENT_PROBLEMS,
  JudgeInspections,
  JudgedInspections,
} from './inspections.ts';

const rpc = (name: string): string => requestSubject(STOCK_SCOPE, name);

export const INSPECTION_OPERATIONS = {
  listInspections: {
    summary: 'List inspections',
    description: 'Units that wait for approval, or did; oldest first. A key with limits sees those of its nodes.',
    http: get('/v1/inspections'),
    subject: rpc('inspection.list'),
    scope: 'stock:read',
    query: InspectionQuery,
    response: pageOf(Inspection),
    problems: ['sku.unknown', 'node.unknown'],
  },
  getInspection: {
    summary: 'Read an inspection',
    http: get('/v1/inspections/{id}'),
    subject: rpc('inspection.get'),
    scope: 'stock:read',
    params: InspectionParam,
    response: Inspection,
    problems: ['inspection.unknown'],
  },
  judgeInspections: {
    summary: 'Approve or reject units',
    description:
      'Of many inspections, each judged whole or in part and answered by itself. Sound units serve those who wait for some, and only then are for sale; others are damaged.',
    http: post('/v1/inspections/judge'),
    subject: rpc('inspection.judge'),
    idempotency: 'id',
    scope: 'stock:inspect',
    body: JudgeInspections,
    response: JudgedInspections,
    problems: ['idempotency.mismatch', 'outcome.unknown'],
    problemsInAnswer: JUDGEMENT_PROBLEMS,
  },
} as const satisfies Record<string, Operation>;
