/** Waits for all, even when one fails, so that no answer is left over on the connection; then throws the first failure. */
export async function inOrder<T extends readonly unknown[]>(sent: {
  readonly [I in keyof T]: Promise<T[I]>;
}): Promise<T> {
  const settled = await Promise.allSettled(sent);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as unknown as T;
}
