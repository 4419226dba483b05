import { OperatorError } from '@onepool/platform-config';

/** Something outside us keeps the system from coming up; the message says what, and what to do. */
export class StartError extends OperatorError {
  override readonly name = 'StartError';
}
