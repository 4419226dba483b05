/** A nats-server with a configuration of the spec's own, for what the servers of other specs never need: keys and certificates. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ConfiguredNats {
  readonly port: number;
  stop(): Promise<void>;
}

export interface Certificates {
  readonly caFile: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** A directory for files of one spec. */
export async function scratchDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'onepool-nats-spec-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function startConfiguredNats(directory: string, port: number, config: string): Promise<ConfiguredNats> {
  const file = join(directory, `nats-${port}.conf`);
  await writeFile(file, `listen: "127.0.0.1:${port}"\n${config}`);
  const child = spawn(process.env['NATS_SERVER_BIN'] || 'nats-server', ['-c', file], { stdio: 'pipe' });
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const exited = once(child, 'exit');
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`nats-server ended: ${log}`);
    await delay(20);
  }
  return {
    port,
    async stop() {
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** True when openssl is there; where it is not, Debian's package `openssl` has it. */
export function hasOpenSsl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}

/** An authority of the spec's own, and certificates by it for `localhost` and for a client. */
export function makeCertificates(directory: string): Certificates {
  const at = (name: string): string => join(directory, name);
  const run = (...args: string[]): void => {
    const ran = spawnSync('openssl', args, { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`openssl ${args[0] ?? ''}: ${ran.stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=spec authority');
  for (const name of ['server', 'client']) {
    const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const out = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-subj', `/CN=${name}`];
    run('req', '-x509', ...key, ...by, '-addext', 'basicConstraints=critical,CA:FALSE', ...out);
  }
  return {
    caFile: at('ca.pem'),
    serverCert: at('server.pem'),
    serverKey: at('server.key'),
    clientCert: at('client.pem'),
    clientKey: at('client.key'),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: '127.0.0.1' });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', () => finish(true)).on('error', () => finish(false));
  });
}
