/** Units that wait for approval before they are sold, and what is said of them. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ClientChosenId,
  NodeCode,
  Quantity,
  SkuCode,
  Timestamp,
  UnitCount,
  Version,
  closed,
  oneOf,
  pageMembers,
  problemInAnswer,
} from '../shared/primitives.ts';
import { FulfilmentId, LineId } from './reservations.ts';

const INSPECTION_ID = '^ins_\\d{1,15}$';
const InspectionId = Type.String({ pattern: INSPECTION_ID, maxLength: 64, description: 'Of an inspection. Opaque.' });

export const INSPECTION_ORIGINS = ['receipt', 'reject', 'movement', 'count'] as const;

const COUNTS = {
  open: Type.Integer({ minimum: 0, description: 'Units that nobody has judged yet.' }),
  approved: Type.Integer({ minimum: 0, description: 'Units that are for sale since, or serve those who waited.' }),
  rejected: Type.Integer({ minimum: 0, description: 'Units that are damaged since.' }),
  missing: Type.Integer({
    minimum: 0,
    description:
      'Units that were judged and had left `qualityControl` otherwise before (sold, moved, or owed), or that a count has not found there.',
  }),
};

export const Inspection = closed({
  id: InspectionId,
  sku: SkuCode,
  node: NodeCode,
  origin: oneOf(
    INSPECTION_ORIGINS,
    '`receipt`: they arrived where they are inspected first. `reject`: the node has refused units of the SKU, and so doubts the others. `movement`: they were taken to inspection. `count`: a feed has counted more units there than others speak of.',
  ),
  command: Type.Optional({ ...ClientChosenId, description: 'The receipt, the list of movements, or the feed.' }),
  line: Type.Optional(Type.Integer({ minimum: 1, description: 'Which of its lines, counted from 1.' })),
  inbound: Type.Optional({ ...ClientChosenId, description: 'The receipt that was announced.' }),
  inboundLine: Type.Optional({ ...LineId, description: 'Which of its lines.' }),
  fulfilment: Type.Optional({ ...FulfilmentId, description: 'What was refused.' }),
  reason: Type.String({ description: 'Of the receipt, movement or count, as in the ledger.' }),
  quantity: { ...UnitCount, description: 'The sum of the four below.' },
  ...COUNTS,
  openedAt: Timestamp,
  dueAt: {
    ...Timestamp,
    description: 'When all should be judged. What is open longer is the exception `inspection.overdue`.',
  },
  closedAt: Type.Union([Timestamp, Type.Null()], { description: 'When the last unit was judged, or found missing.' }),
});
export type Inspection = Static<typeof Inspection>;

export const InspectionParam = closed({ id: InspectionId });
export const InspectionQuery = closed({
  sku: Type.Optional(SkuCode),
  node: Type.Optional(NodeCode),
  open: Type.Optional(Type.Boolean({ default: false, description: 'Only those with units that nobody has judged.' })),
  overdue: Type.Optional(Type.Boolean({ default: false, description: 'Only those of them that should be done.' })),
  ...pageMembers(INSPECTION_ID),
});
export type InspectionQuery = Static<typeof InspectionQuery>;

const of = { inspection: InspectionId };
export const Judgement = Type.Union([
  closed({
    ...of,
    approved: { ...Quantity, minimum: 0, description: 'Units that are sound.' },
    rejected: Type.Optional({ ...Quantity, minimum: 0, description: 'Units that are damaged: 0 unless told.' }),
  }),
  closed({ ...of, all: oneOf(['approved', 'rejected'], 'What is said of all units that are open.') }),
]);

/** Judgements of one request. */
export const JUDGEMENTS_MAX = 500;
export const JudgeInspections = closed({
  id: ClientChosenId,
  judgements: Type.Array(Judgement, {
    minItems: 1,
    maxItems: JUDGEMENTS_MAX,
    description:
      'Each is decided by itself. What of an inspection nobody names stays open. After a time-out the same request finishes what is missing.',
  }),
});
export type JudgeInspections = Static<typeof JudgeInspections>;

export const JudgedInspection = closed(
  { inspection: InspectionId, sku: SkuCode, node: NodeCode, version: Version, ...COUNTS },
  {
    description:
      'What this judgement came to: units that it has approved, rejected and not found, and those that are still open.',
  },
);
export type JudgedInspection = Static<typeof JudgedInspection>;

/** Why a judgement was not taken. */
export const JUDGEMENT_PROBLEMS = ['inspection.unknown', 'inspection.exceeds_open', 'node.forbidden'] as const;

export const JudgedInspections = closed({
  id: ClientChosenId,
  results: Type.Array(Type.Union([JudgedInspection, closed({ problem: problemInAnswer(JUDGEMENT_PROBLEMS) })]), {
    description: 'In the order of the judgements.',
  }),
});
export type JudgedInspections = Static<typeof JudgedInspections>;
