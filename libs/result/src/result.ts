/**
 * What may be refused is answered, never thrown: a value, or why there is none. One shape from the rules of the domain to the
 * edge, which turns rejections into problem documents.
 */
export type Result<Value, Why> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly rejection: Why };

export const accept = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({ ok: true, value });
export const reject = <Why>(rejection: Why): { readonly ok: false; readonly rejection: Why } => ({
  ok: false,
  rejection,
});
