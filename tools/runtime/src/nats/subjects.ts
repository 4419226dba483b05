/** Subjects of NATS, with its wildcards: `*` stands for one token, `>` for one or more at the end. */
const SUBJECT = /^([\w-]+|\*)(\.([\w-]+|\*))*(\.>)?$/;

export const isSubject = (text: string): boolean => SUBJECT.test(text);

/** Whether everything that matches `subject` matches one of `patterns`. */
export const isWithin = (subject: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => covers(pattern.split('.'), subject.split('.')));

function covers([wanted, ...others]: readonly string[], [token, ...rest]: readonly string[]): boolean {
  if (wanted === '>') return token !== undefined;
  if (token === undefined || wanted === undefined) return token === wanted;
  return (token === wanted || (wanted === '*' && token !== '>')) && covers(others, rest);
}
