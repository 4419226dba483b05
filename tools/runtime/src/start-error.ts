/** Something outside us keeps the system from coming up; the message says what, and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
