/** The places a k6 may come from; `find-k6.ts` holds their order. Always the pinned version: another would run other code. */
import { join } from 'node:path';
import {
  cacheDirectory,
  installProgram,
  lastLine,
  namedByVariable,
  probeProgram,
} from '@onepool/platform-local-servers';
import type {
  FoundProgram,
  Miss,
  ProgramIdentity,
  ProgramSource,
  SearchEnvironment,
} from '@onepool/platform-local-servers';

/** The version the scenarios are written for, and of which `@types/k6` is installed. */
export const PINNED_K6_VERSION = '2.2.0';

const MODULE = `go.k6.io/k6/v2@v${PINNED_K6_VERSION}`;
const BUILD_TIMEOUT_MS = 1_800_000;

/** Reads `k6 v2.2.0 (…)` as `2.2.0`; undefined when the text is no such line. It begins with the name of the file. */
export function parseK6Version(text: string): string | undefined {
  return /^k6\S* v(\d+\.\d+\.\d+)\b/m.exec(text)?.[1];
}

const IDENTITY: ProgramIdentity = { versionArgument: 'version', parseVersion: parseK6Version };

/** The program named by `K6_BIN`, of whatever version: who names it answers for it. */
export const namedByK6Bin = namedByVariable('K6_BIN', IDENTITY);

/** The one on PATH, when it is of the pinned version. */
export const onPath: ProgramSource = {
  name: `PATH (${PINNED_K6_VERSION})`,
  find: async (environment) => onlyPinned(await probeProgram(environment, IDENTITY, 'k6')),
};

/** What an earlier search built. */
export const cached: ProgramSource = {
  name: 'the cache',
  find: async (environment) => onlyPinned(await probeProgram(environment, IDENTITY, cachePath(environment))),
};

/**
 * The pinned version, built by a Go toolchain into the cache. It is built in the module's own folder, with the versions
 * that its go.sum names; `go install` would also ask for the list of all its versions, which not every proxy has.
 */
export const builtByGo: ProgramSource = {
  name: 'a Go toolchain',
  announcement: `building k6 ${PINNED_K6_VERSION} with Go when there is one, once; this takes minutes`,
  async find(environment) {
    if ((await environment.run('go', ['version'])).code !== 0) return { miss: 'no go on PATH' };
    return installProgram(environment, IDENTITY, cachePath(environment), async (directory) => {
      const limits = { timeoutMs: BUILD_TIMEOUT_MS };
      const fetched = await environment.run('go', ['mod', 'download', '-json', MODULE], limits);
      const folder = moduleFolder(fetched.output);
      if (folder === undefined) throw new Error(`go mod download failed: ${errorOf(fetched.output)}`);
      const program = join(directory, 'k6');
      const built = await environment.run('go', ['build', '-trimpath', '-buildvcs=false', '-o', program, '.'], {
        ...limits,
        cwd: folder,
        variables: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      });
      if (built.code !== 0) throw new Error(`go build failed: ${lastLine(built.output)}`);
      return program;
    });
  },
};

function cachePath(environment: SearchEnvironment): string {
  return join(cacheDirectory(environment), `k6-v${PINNED_K6_VERSION}`);
}

function onlyPinned(found: FoundProgram | Miss): FoundProgram | Miss {
  if ('miss' in found || found.version === PINNED_K6_VERSION) return found;
  return { miss: `${found.path} is version ${found.version}` };
}

/** What `go mod download -json` says about one module; progress lines may precede it. */
function answerOf(output: string): { readonly Dir?: string; readonly Error?: string } {
  try {
    return JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as { Dir?: string };
  } catch {
    return {};
  }
}

const moduleFolder = (output: string): string | undefined => answerOf(output).Dir;
const errorOf = (output: string): string => lastLine(answerOf(output).Error ?? output);
