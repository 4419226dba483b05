/**
 * The HTTP server of every app, with its limits: on connections, on requests that wait on one, and on the time that
 * heads, bodies, readers and idle connections may take.
 */
import { type IncomingMessage, STATUS_CODES, type Server, type ServerResponse, createServer } from 'node:http';
import type { Socket } from 'node:net';
import { type ProblemError, problem, problemServerOptions } from '@onepool/platform-problem';
import type { Metrics } from '@onepool/platform-telemetry';
import { Connection, type Cut, type Handler } from './connection.ts';
import type { HttpLimits } from './http-limits.ts';

/** How often connections are looked at, at most. */
const LOOK_MS_MAX = 1_000;

const CONNECTION = Symbol('connection');

interface Tracked {
  [CONNECTION]?: Connection;
}

/**
 * Options for `new FastifyAdapter(…)`: the limits, and problem documents for what fails before Fastify is asked. Counts
 * connections, and those that were cut.
 *
 * @example new FastifyAdapter({ ...httpServerOptions(httpLimits(config), metrics), bodyLimit: 1_048_576 })
 */
export function httpServerOptions(limits: HttpLimits, metrics: Metrics) {
  const cuts = metrics.counter('http_connections_cut_total', 'Connections cut, by what they did', ['reason']);
  const open = new Set<Connection>();
  metrics.gauge('http_connections', 'Open connections of callers', [], (gauge) => gauge.set(open.size));
  return {
    ...problemServerOptions(),
    serverFactory: (handle: Handler): Server => limitedServer(handle, limits, open, (reason) => cuts.inc({ reason })),
    clientErrorHandler: refuseConnection,
  };
}

function limitedServer(
  handle: Handler,
  limits: HttpLimits,
  open: Set<Connection>,
  onCut: (reason: Cut) => void,
): Server {
  const lookMs = Math.min(LOOK_MS_MAX, limits.stallMs / 4);
  const server = createServer({
    headersTimeout: limits.stallMs,
    // A body may take as long as it likes while it moves.
    requestTimeout: 0,
    // Refused here, with a problem document, which Node's own refusal is not.
    requireHostHeader: false,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: lookMs,
  });
  server.on('connection', (socket: Socket & Tracked) => {
    if (open.size >= limits.connectionsMax) {
      // A newcomer gets the place of one who only keeps it: else whoever takes all shuts everybody out, probes included.
      const idle = longestIdle(open);
      if (idle === undefined) {
        onCut('connections');
        socket.destroy();
        return;
      }
      open.delete(idle);
      idle.cut('connections');
    }
    const connection = new Connection(socket, onCut);
    socket[CONNECTION] = connection;
    open.add(connection);
    const looking = setInterval(() => connection.look(performance.now(), limits), lookMs).unref();
    socket.once('close', () => {
      clearInterval(looking);
      open.delete(connection);
    });
  });
  // Refusals wait their turn as well: who never reads must not have us keep one for each request.
  const take = (request: IncomingMessage, response: ServerResponse, how: Handler): void =>
    (request.socket as Tracked)[CONNECTION]?.take([request, response, how], limits.waitingMax);
  server.on('request', (request, response) => {
    const hasHost = request.headers.host !== undefined || request.httpVersion !== '1.1';
    take(request, response, hasHost ? handle : refuseWithoutHost);
  });
  server.on('checkExpectation', (request, response) => take(request, response, refuseExpectation));
  server.on('connect', (_request, socket) => void socket.end(bareAnswer(NO_TUNNEL)));
  return server;
}

function longestIdle(open: ReadonlySet<Connection>): Connection | undefined {
  let found: Connection | undefined;
  for (const one of open) {
    if (!one.isAnswering && (found === undefined || one.idleSince < found.idleSince)) found = one;
  }
  return found;
}

const NO_HOST = problem('request.invalid', { detail: 'A request of HTTP/1.1 has one Host header.' });
const UNKNOWN_EXPECTATION = problem('request.invalid', { detail: 'Expect may only be 100-continue.' });
const NO_TUNNEL = problem('request.method_not_allowed', { detail: 'This server is no proxy.' });

const refuseWithoutHost: Handler = (_request, response) => refuse(response, NO_HOST);
const refuseExpectation: Handler = (_request, response) => refuse(response, UNKNOWN_EXPECTATION);

/** In place of the app; the connection ends with the answer. */
function refuse(response: ServerResponse, refusal: ProblemError): void {
  const body = Buffer.from(JSON.stringify(refusal.toProblem()));
  response.writeHead(refusal.status, {
    connection: 'close',
    'content-type': 'application/problem+json',
    'content-length': body.length,
  });
  response.end(body);
}

/** What is no HTTP, has too large a head, or takes too long over it, is answered once and cut. */
function refuseConnection(error: Error & { readonly code?: string }, socket: Socket & Tracked): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable && socket[CONNECTION]?.isAnswering === false) socket.write(bareAnswer(problemOf(error.code)));
  socket.destroy(error);
}

function problemOf(code: string | undefined): ProblemError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem('request.timeout', { detail: 'The head came too slowly.' });
  if (code === 'HPE_HEADER_OVERFLOW') return problem('request.head_too_large');
  return problem('request.invalid', { detail: 'This is not HTTP/1.1.' });
}

function bareAnswer(refusal: ProblemError): string {
  const body = JSON.stringify(refusal.toProblem());
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
