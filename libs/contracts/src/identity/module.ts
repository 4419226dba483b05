/** The identity as a module: who calls, and what they may do. */
import type { ModuleContract } from '../shared/module-contract.ts';
import { IDENTITY_FACTS, IDENTITY_SCOPE } from './facts.ts';
import { IDENTITY_SUBJECTS } from './subjects.ts';

export const IDENTITY = {
  scope: IDENTITY_SCOPE,
  facts: IDENTITY_FACTS,
  parts: [],
  internal: { answers: [IDENTITY_SUBJECTS.verify], tells: [IDENTITY_SUBJECTS.beat] },
} as const satisfies ModuleContract;
