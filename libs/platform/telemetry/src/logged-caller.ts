import { callerOf } from '@onepool/platform-auth';

/** Members of a log line that name who called, by the ids of principals: a request, or a message by its context. */
export function loggedCaller(carrier: object): { readonly caller?: string; readonly person?: string } {
  const caller = callerOf(carrier);
  if (caller === undefined) return {};
  return { caller: caller.id, ...(caller.person === null ? {} : { person: caller.person }) };
}
