/**
 * Something that whoever runs the program has to mend: a setting, an address, a right. The message is the whole story: a
 * sentence that says what is wrong and what to do. Its stack would only hide that.
 */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}
