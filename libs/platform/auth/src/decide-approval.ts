/**
 * Whether somebody may approve what somebody asked for. Persons are compared, and not keys: whoever asked by a till's key may
 * not approve by a console's, and two persons at one console may.
 */
import type { Caller } from './caller.ts';

/** Who did something, as it is kept with what was done; a {@link Caller} is one. */
export type Doer = Pick<Caller, 'id' | 'person'>;

export interface Approval {
  readonly requestedBy: Doer;
  readonly approvedBy: Doer;
  /** Whether only a person may approve it, as what the scope of the operation is marked with. It is unless told. */
  readonly human?: boolean;
}

/** Also the codes of the problems that a caller is told. */
export interface ApprovalRefusal {
  readonly code: 'approval.same_person' | 'approval.person_required';
}

/**
 * The refusal, or null where nothing stands in the way.
 *
 * @example
 * const refusal = decideApproval({ requestedBy: refund.requestedBy, approvedBy: caller });
 * if (refusal) throw problem(refusal.code);
 */
export function decideApproval({ requestedBy, approvedBy, human = true }: Approval): ApprovalRefusal | null {
  if (approvedBy.person !== null)
    return approvedBy.person === requestedBy.person ? { code: 'approval.same_person' } : null;
  // One service on nobody's behalf may have one person behind both.
  const isTold = !human && approvedBy.id !== requestedBy.id;
  return isTold ? null : { code: 'approval.person_required' };
}
