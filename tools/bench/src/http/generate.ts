/** One turn of HTTP load by autocannon. */
import autocannon from 'autocannon';
import { WrongResultsError } from '../setting/verify.ts';
import { requestsOf } from './requests.ts';
import type { Route } from './requests.ts';

export const CONNECTIONS = 64;

export interface HttpResult {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly answered: number;
}

/**
 * @throws WrongResultsError when anything but 2xx was answered: there is stock for every reservation, and no target of
 *   this load is beyond what it can queue.
 */
export async function generate(
  route: Route,
  target: { readonly url: string; readonly key: string; readonly skus: number },
  seconds: number,
): Promise<HttpResult> {
  const result = await autocannon({
    url: target.url,
    connections: CONNECTIONS,
    duration: seconds,
    headers: { authorization: `Bearer ${target.key}`, 'content-type': 'application/json' },
    requests: requestsOf(route, target.skus),
  });
  const answered = result['2xx'];
  if (result.non2xx > 0 || result.errors > 0 || answered === 0) {
    const told = `${answered} × 2xx, ${result.non2xx} × other, ${result.errors} errors`;
    throw new WrongResultsError(`${route} at ${target.url}: ${told}`);
  }
  return { perSecond: answered / result.duration, p99Ms: result.latency.p99, answered };
}
