import { isAtLeast } from './nats-version.ts';

export interface NatsConfig {
  readonly port: number;
  /** JetStream's directory. */
  readonly store: string;
  readonly pidFile: string;
  /** How often JetStream syncs to disk, as nats-server writes durations: `2m`, `10s`, `always`. */
  readonly syncInterval: string;
  /** Of the program that reads the file: 2.9 refuses a key that it does not know. */
  readonly version: string;
  /** The file with accounts and users, beside this one; everybody may do everything unless given. */
  readonly accountsFile?: string | undefined;
}

/** The name a server announces, by which it is recognised as ours. */
export function natsServerName(port: number): string {
  return `onepool-${port}`;
}

/** The configuration file of our own nats-server: loopback only, JetStream on, messages up to 8 MB. */
export function renderNatsConfig(config: NatsConfig): string {
  const sync = isAtLeast(config.version, '2.10.0') ? `  sync_interval: ${JSON.stringify(config.syncInterval)}\n` : '';
  const include = config.accountsFile === undefined ? '' : `include ${JSON.stringify(`./${config.accountsFile}`)}\n`;
  return `listen: "127.0.0.1:${config.port}"
server_name: ${JSON.stringify(natsServerName(config.port))}
pid_file: ${JSON.stringify(config.pidFile)}
max_payload: 8MB
jetstream {
  store_dir: ${JSON.stringify(config.store)}
${sync}}
${include}`;
}

/** The port of a configuration that {@link renderNatsConfig} wrote. */
export function portIn(config: string): number | undefined {
  const port = /^listen: "127\.0\.0\.1:(\d+)"/.exec(config)?.[1];
  return port === undefined ? undefined : Number(port);
}
