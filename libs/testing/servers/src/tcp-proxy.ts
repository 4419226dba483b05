/**
 * A TCP proxy for fault tests: it stands between a client and a server on the loopback interface and makes the
 * network between them slow, silent or broken.
 */
import { createServer, connect } from 'node:net';
import type { Server, Socket } from 'node:net';

export type Direction = 'toServer' | 'toClient';

interface Cut {
  readonly direction: Direction;
  readonly matches: (bytes: Buffer) => boolean;
  readonly fired: () => void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * @example
 * const proxy = await TcpProxy.to(postgresPort);
 * const lost = proxy.cutAfter('toServer', (bytes) => bytes.includes('COMMIT'));
 * // … a client of proxy.port commits …
 * await lost; // the server has the COMMIT, the client will never hear of it
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #delayMs = 0;
  #swallowing = false;
  #refusing = false;
  #cut: Cut | undefined;

  private constructor(targetPort: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client, targetPort));
  }

  /** A proxy on a free port before `targetPort`. */
  static async to(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** Where the client connects. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return address.port;
  }

  /** The connections that are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** `url` with this proxy in place of the server. */
  url(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.href;
  }

  /** From now on every piece of data arrives `ms` later; 0 ends it. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Resets every open connection (RST on the client's side); new ones are served. */
  reset(): void {
    for (const pair of this.#pairs) this.#end(pair, true);
  }

  /** Half-open: connections stay, and are accepted, but nothing passes until `heal`; what was sent meanwhile is lost. */
  swallow(): void {
    this.#swallowing = true;
  }

  /** Closes every connection and refuses new ones until `heal`. */
  cut(): void {
    this.#refusing = true;
    for (const pair of this.#pairs) this.#end(pair, false);
  }

  /**
   * Passes on the first piece of data in `direction` that `matches`, and lets nothing pass afterwards on its connection:
   * the client's side is reset. The promise resolves when that has happened. Other connections are not touched.
   */
  cutAfter(direction: Direction, matches: (bytes: Buffer) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#cut = { direction, matches, fired: resolve };
    });
  }

  /** Ends `delay`, `swallow`, `cut` and a waiting `cutAfter`. A swallowed connection is closed: its bytes are gone. */
  heal(): void {
    if (this.#swallowing) this.reset();
    this.#delayMs = 0;
    this.#swallowing = false;
    this.#refusing = false;
    this.#cut = undefined;
  }

  /** Closes every connection and the port. */
  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket, targetPort: number): void {
    if (this.#refusing) return void client.resetAndDestroy();
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { client, server };
    this.#pairs.add(pair);
    this.#pump(pair, client, server, 'toServer');
    this.#pump(pair, server, client, 'toClient');
  }

  #pump(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => {
      if (this.#swallowing) return;
      this.#later(() => this.#pass(pair, to, direction, bytes));
    });
    from.on('end', () => this.#later(() => this.#swallowing || to.end()));
    from.on('error', () => this.#end(pair, true));
    from.on('close', () => this.#swallowing || this.#later(() => this.#end(pair, false)));
  }

  #pass(pair: Pair, to: Socket, direction: Direction, bytes: Buffer): void {
    if (!this.#pairs.has(pair) || this.#swallowing) return;
    const cut = this.#cut?.direction === direction && this.#cut.matches(bytes) ? this.#cut : undefined;
    if (cut === undefined) return void to.write(bytes);
    this.#cut = undefined;
    // The bytes leave first: the other side has them, and whoever sent them will not learn it.
    to.write(bytes, () => {
      this.#end(pair, true);
      cut.fired();
    });
    this.#pairs.delete(pair);
  }

  #later(action: () => void): void {
    if (this.#delayMs === 0) action();
    else setTimeout(action, this.#delayMs);
  }

  #end({ client, server }: Pair, abruptly: boolean): void {
    for (const pair of this.#pairs) if (pair.client === client) this.#pairs.delete(pair);
    if (abruptly) client.resetAndDestroy();
    else client.destroy();
    // The server is told politely, so that what it already has is worked on to its end.
    server.end();
    server.resume();
  }
}
