export interface NatsReport {
  readonly level: 'info' | 'warn' | 'error';
  /** A sentence that names the server, the reason and, where there is any, what to do. Without secrets. */
  readonly message: string;
  readonly servers: string;
  /** How long NATS has been away, when it is. */
  readonly awaySeconds?: number;
}

type LogLine = (fields: object, message: string) => void;

/** A `report` that writes to a log. */
export function logNatsReports(log: Readonly<Record<NatsReport['level'], LogLine>>): (report: NatsReport) => void {
  return ({ level, message, ...fields }) => log[level](fields, message);
}
