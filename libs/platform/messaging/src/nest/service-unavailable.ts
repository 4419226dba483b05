import { errors } from '@nats-io/transport-node';

/** The other service could not be reached or did not answer in time: 503, and a retry may succeed. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

/**
 * Turns what a request over NATS fails with into a {@link ServiceUnavailableError} if nobody answered, and returns any
 * other error as it is.
 *
 * Nest's client rejects with a plain *string* while it is disconnected, and with an `EmptyResponseException` if nobody
 * listens; left alone both become 500.
 *
 * @example client.send(subject, body).pipe(catchError((error) => throwError(() => mapNatsClientError(error))))
 */
export function mapNatsClientError(error: unknown): unknown {
  if (typeof error === 'string') return new ServiceUnavailableError(error);
  if (error instanceof Error && isUnreachable(error)) {
    return new ServiceUnavailableError(error.message, { cause: error });
  }
  return error;
}

function isUnreachable(error: Error): boolean {
  if (error instanceof errors.RequestError || error instanceof errors.TimeoutError) return true;
  if (error instanceof errors.NoRespondersError || error instanceof errors.ClosedConnectionError) return true;
  if (error instanceof errors.DrainingConnectionError || error instanceof errors.ConnectionError) return true;
  // Compared by name, so that this library needs neither Nest nor RxJS when it runs.
  return (
    error.constructor.name === 'EmptyResponseException' ||
    error.name === 'TimeoutError' ||
    error.message === 'Connection closed'
  );
}
