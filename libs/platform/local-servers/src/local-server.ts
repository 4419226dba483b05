import { OperatorError } from '@onepool/platform-config';

/** A server process on this machine that we started now, or found running from an earlier start. */
export interface LocalServer {
  /** What a client connects to, credentials included. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** True when the process was already running and was kept. */
  readonly adopted: boolean;
  /** Resolves when the process ends, whoever ended it; never rejects. */
  readonly exited: Promise<void>;
  isAlive(): boolean;
  /** Clean shutdown; resolves when the process is gone. */
  stop(): Promise<void>;
  /** SIGKILL, for fault tests; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT, for fault tests: the process keeps its connections and answers nothing. */
  suspend(): void;
  resume(): void;
}

/** A local server could not be started; the message says what to do, `cause` holds the underlying failure. */
export class LocalServerError extends OperatorError {
  override readonly name: string = 'LocalServerError';
}

/** Another program listens on the port that a server of ours needs. */
export class PortTakenError extends LocalServerError {
  override readonly name = 'PortTakenError';
  readonly port: number;

  constructor(port: number) {
    super(`Port ${port} of 127.0.0.1 is taken by another program.`);
    this.port = port;
  }
}

/** The operating system keeps this port from ordinary users. */
export class PortForbiddenError extends LocalServerError {
  override readonly name = 'PortForbiddenError';
  readonly port: number;

  constructor(port: number) {
    super(`This user may not listen on port ${port}.`);
    this.port = port;
  }
}
