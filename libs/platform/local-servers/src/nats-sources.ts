/** The places a nats-server may come from; `find-nats-server.ts` holds their order. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  PINNED_NATS_VERSION,
  PREFERRED_NATS_VERSION,
  compareVersions,
  isAtLeast,
  parseNatsVersion,
} from './nats-version.ts';
import { installProgram, lastLine, namedByVariable as programNamedBy, probeProgram } from './program-search.ts';
import type { FoundProgram, Miss, ProgramIdentity, ProgramSource } from './program-search.ts';
import { cacheDirectory } from './search-environment.ts';
import type { SearchEnvironment } from './search-environment.ts';

const IDENTITY: ProgramIdentity = { versionArgument: '--version', parseVersion: parseNatsVersion };
/** Long, since its progress is seen: a build that a busy machine cut short would be remembered as a miss. */
const BUILD_TIMEOUT_MS = 1_200_000;

/**
 * SHA-256 of the official release archives of the pinned version, as the project's own container build files state
 * them. They state none for macOS, so there the release is not used.
 */
const RELEASE_SHA256: Readonly<Record<string, string>> = {
  'linux-amd64': 'ad608dd0ea8bbfa58c40e3b8f58ed67478eec26166ec49c502db8d17589b51b5',
  'linux-arm64': 'd21df24f262f34f8bf6d1f0bca557c08429e433fd9f60f6983105539ae517feb',
};

/** The program named by `NATS_SERVER_BIN`. */
export const namedByVariable = programNamedBy('NATS_SERVER_BIN', IDENTITY);

/** What an earlier search installed: the pinned version, else the newest that is not older than preferred. */
export const cached: ProgramSource = {
  name: 'the cache',
  async find(environment) {
    const directory = cacheDirectory(environment);
    const versions = (await environment.list(directory))
      .map((name) => /^nats-server-v(\d+\.\d+\.\d+)$/.exec(name)?.[1] ?? '')
      .filter((version) => version !== '' && isAtLeast(version, PREFERRED_NATS_VERSION))
      .sort((a, b) => Number(b === PINNED_NATS_VERSION) - Number(a === PINNED_NATS_VERSION) || compareVersions(b, a));
    for (const version of versions) {
      const found = await probeProgram(environment, IDENTITY, cachePath(environment, version));
      if ('path' in found) return found;
    }
    return { miss: `no usable nats-server-v… in ${directory}` };
  },
};

/** The one on PATH, when it is recent. */
export const recentOnPath: ProgramSource = {
  name: `PATH (${PREFERRED_NATS_VERSION} or newer)`,
  async find(environment) {
    const found = await probeProgram(environment, IDENTITY, 'nats-server');
    if ('miss' in found || isAtLeast(found.version, PREFERRED_NATS_VERSION)) return found;
    return { miss: `version ${found.version} is older` };
  },
};

/** The pinned version, built by a Go toolchain into the cache. */
export const builtByGo: ProgramSource = {
  name: 'a Go toolchain',
  announcement: `building nats-server ${PINNED_NATS_VERSION} with Go, which takes a minute or two`,
  async find(environment, say) {
    if ((await environment.run('go', ['version'])).code !== 0) return { miss: 'no go on PATH' };
    return intoCache(environment, async (directory) => {
      const module = `github.com/nats-io/nats-server/v2@v${PINNED_NATS_VERSION}`;
      // Without symbols there is a third less to link and to keep.
      const args = ['install', '-v', '-trimpath', '-ldflags=-s -w', module];
      const variables = { GOBIN: directory, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
      const onLine = goProgress(environment, say);
      const built = await environment.run('go', args, { variables, onLine, timeoutMs: BUILD_TIMEOUT_MS });
      if (built.code !== 0) throw new Error(`go install failed: ${lastLine(built.output)}`);
      return join(directory, 'nats-server');
    });
  },
};

/** The official release archive, used only when its checksum is the pinned one. */
export const officialRelease: ProgramSource = {
  name: 'the official release',
  announcement: `downloading nats-server ${PINNED_NATS_VERSION}`,
  async find(environment, say) {
    const platform = `${environment.platform}-${environment.architecture === 'x64' ? 'amd64' : environment.architecture}`;
    const sha256 = RELEASE_SHA256[platform];
    if (sha256 === undefined) return { miss: `no checksum is pinned for ${platform}` };
    return intoCache(environment, async (directory) => {
      const folder = `nats-server-v${PINNED_NATS_VERSION}-${platform}`;
      const base = 'https://github.com/nats-io/nats-server/releases/download';
      const address = `${base}/v${PINNED_NATS_VERSION}/${folder}.tar.gz`;
      const archive = await environment.download(address, byteProgress(environment, say));
      const actual = createHash('sha256').update(archive).digest('hex');
      if (actual !== sha256) throw new Error(`the archive's SHA-256 is ${actual}, not the pinned ${sha256}`);
      await environment.write(join(directory, 'release.tar.gz'), archive);
      const unpacked = await environment.run('tar', ['-xzf', 'release.tar.gz'], { cwd: directory });
      if (unpacked.code !== 0) throw new Error(`tar failed: ${lastLine(unpacked.output)}`);
      return join(directory, folder, 'nats-server');
    });
  },
};

/** Whatever is on PATH. */
export const anyOnPath: ProgramSource = {
  name: 'an older one on PATH',
  find: (environment) => probeProgram(environment, IDENTITY, 'nats-server'),
};

/** Debian's package, when it is recent: asking for its version costs nothing, and it is quicker than a build. */
export const recentDebianPackage: ProgramSource = {
  name: `Debian's package (${PREFERRED_NATS_VERSION} or newer)`,
  announcement: "looking at Debian's nats-server package",
  async find(environment) {
    const { output } = await environment.run('apt-cache', ['policy', 'nats-server']);
    const version = /Candidate: (\d+\.\d+\.\d+)/.exec(output)?.[1];
    if (version === undefined) return { miss: 'apt has no nats-server' };
    if (!isAtLeast(version, PREFERRED_NATS_VERSION)) return { miss: `version ${version} is older` };
    return unpackDebian(environment, cachePath(environment, version));
  },
};

/** Debian's package, however old. */
export const debianPackage: ProgramSource = {
  name: "Debian's package",
  announcement: "unpacking Debian's nats-server package",
  async find(environment) {
    const target = join(cacheDirectory(environment), 'nats-server-debian');
    const known = await probeProgram(environment, IDENTITY, target);
    return 'path' in known ? known : unpackDebian(environment, target);
  },
};

/** Into the cache, and not installed: no service, no root. */
function unpackDebian(environment: SearchEnvironment, target: string): Promise<FoundProgram | Miss> {
  return installProgram(environment, IDENTITY, target, async (directory) => {
    const fetched = await environment.run('apt-get', ['download', 'nats-server'], { cwd: directory });
    const packages = await environment.list(directory);
    const archive = packages.find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download failed: ${lastLine(fetched.output)}`);
    const unpacked = await environment.run('dpkg', ['-x', archive, 'unpacked'], { cwd: directory });
    if (unpacked.code !== 0) throw new Error(`dpkg failed: ${lastLine(unpacked.output)}`);
    return join(directory, 'unpacked', 'usr', 'sbin', 'nats-server');
  });
}

const SAY_EVERY_MS = 2_000;

/** Says at most every two seconds what `text` makes of the seconds that have passed. */
function paced({ now }: SearchEnvironment, say: (progress: string) => void) {
  const since = now();
  let saidAt = since;
  return (text: (seconds: number) => string): void => {
    if (now() - saidAt < SAY_EVERY_MS) return;
    saidAt = now();
    say(text(Math.round((saidAt - since) / 1_000)));
  };
}

function goProgress(environment: SearchEnvironment, say: (progress: string) => void): (line: string) => void {
  const tell = paced(environment, say);
  let packages = 0;
  return (line) => {
    const isDownload = line.startsWith('go: ');
    if (!isDownload) packages += 1;
    tell((seconds) => `Go, ${seconds} s: ${isDownload ? line : `${packages} packages compiled, now ${line}`}`);
  };
}

function byteProgress(environment: SearchEnvironment, say: (progress: string) => void) {
  const tell = paced(environment, say);
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return (received: number, total: number | undefined): void =>
    tell((seconds) => `${mb(received)}${total === undefined ? '' : ` of ${mb(total)}`} MB in ${seconds} s`);
}

function cachePath(environment: SearchEnvironment, version: string): string {
  return join(cacheDirectory(environment), `nats-server-v${version}`);
}

function intoCache(
  environment: SearchEnvironment,
  make: (directory: string) => Promise<string>,
): Promise<FoundProgram | Miss> {
  return installProgram(environment, IDENTITY, cachePath(environment, PINNED_NATS_VERSION), make);
}
