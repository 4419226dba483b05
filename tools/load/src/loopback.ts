/** Load goes to this machine only: against a system that others use it would be an attack. */
export function requireLoopback(urls: readonly string[]): void {
  const foreign = urls.find((url) => !/^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(new URL(url).hostname));
  if (foreign !== undefined)
    throw new Error(`${foreign} is not on this machine: load goes to loopback addresses only.`);
}
