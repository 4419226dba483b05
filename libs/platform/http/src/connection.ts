/**
 * One connection of a caller. Node parses as many requests of it as one read brought, thousands of small ones, and hands
 * out all of them at once; here they are taken up one after the other, as their answers have to be sent anyway, so that a
 * caller who never reads keeps one answer waiting and not thousands.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { problem } from '@onepool/platform-problem';
import { type Look, type Pace, judgeProgress } from './progress.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;
/** Why a connection was cut. */
export type Cut = 'connections' | 'pipeline' | 'slow_body' | 'slow_reader';

type Exchange = readonly [request: IncomingMessage, response: ServerResponse, handle: Handler];

const TOO_SLOW = problem('request.timeout', { detail: 'The body came too slowly.' });
const TOO_SLOW_BODY = Buffer.from(JSON.stringify(TOO_SLOW.toProblem()));

/** Counts openings and answers of all connections, which is cheaper than a look at the clock. */
let moment = 0;
const nextMoment = (): number => (moment += 1);

export class Connection {
  readonly #socket: Socket;
  readonly #onCut: (why: Cut) => void;
  #waiting: Exchange[] = [];
  /** The last one that was taken up; once answered, the rest of its body may still be on its way. */
  #request: IncomingMessage | null = null;
  #response: ServerResponse | null = null;
  #isAnswering = false;
  #idleSince = nextMoment();
  #since: Look | null = null;

  constructor(socket: Socket, onCut: (why: Cut) => void) {
    this.#socket = socket;
    this.#onCut = onCut;
  }

  /** Whether bytes of ours could run into an answer. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** While it is not answering: the one with the least has been idle for longest. */
  get idleSince(): number {
    return this.#idleSince;
  }

  /** Takes up a request when those before it have been answered; with more than `waitingMax` before it, cuts the connection. */
  take(exchange: Exchange, waitingMax: number): void {
    if (this.#socket.destroyed) return;
    if (!this.#isAnswering) this.#begin(...exchange);
    else if (this.#waiting.length < waitingMax) this.#waiting.push(exchange);
    else this.cut('pipeline');
  }

  /** Cuts the connection if its caller sends a body, or takes an answer, more slowly than `pace`. */
  look(at: number, pace: Pace): void {
    const look = this.#see(at);
    const verdict = judgeProgress(this.#since, look, pace);
    if (verdict !== 'too_slow') this.#since = verdict;
    else if (look.waiting === 'for_reader') this.cut('slow_reader');
    else this.#refuseBody();
  }

  /** Ends it without another word. */
  cut(why: Cut): void {
    this.#onCut(why);
    this.#waiting = [];
    this.#socket.destroy();
  }

  #begin(request: IncomingMessage, response: ServerResponse, handle: Handler): void {
    this.#isAnswering = true;
    this.#request = request;
    this.#response = response;
    this.#since = null;
    response.on('close', this.#next);
    handle(request, response);
  }

  readonly #next = (): void => {
    this.#isAnswering = false;
    this.#response = null;
    if (this.#request?.complete) this.#request = null;
    const next = this.#waiting.shift();
    if (this.#socket.destroyed) return;
    if (next) this.#begin(...next);
    else this.#idleSince = nextMoment();
  };

  #see(at: number): Look {
    const { bytesRead, bytesWritten, writableLength: backlogBytes } = this.#socket;
    if (backlogBytes > 0) return { at, waiting: 'for_reader', movedBytes: bytesWritten - backlogBytes, backlogBytes };
    const request = this.#request;
    // What has come in and nobody has read yet waits for us.
    const isForBody = request !== null && !request.complete && request.readableLength === 0;
    return { at, waiting: isForBody ? 'for_body' : 'for_us', movedBytes: bytesRead, backlogBytes };
  }

  #refuseBody(): void {
    const response = this.#response;
    if (!this.#isAnswering || response === null || response.headersSent) return this.cut('slow_body');
    this.#onCut('slow_body');
    this.#since = null;
    response.writeHead(TOO_SLOW.status, {
      'content-type': 'application/problem+json',
      'content-length': TOO_SLOW_BODY.length,
      connection: 'close',
    });
    response.end(TOO_SLOW_BODY);
  }
}
