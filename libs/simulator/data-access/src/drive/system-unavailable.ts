/** The system does not answer, or not as the contract says: nothing can be proven, and the person must act. */
export class SystemUnavailable extends Error {
  override readonly name = 'SystemUnavailable';
}
