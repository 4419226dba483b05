/** Everything outside us that the search for a program touches, so that a test can put a machine of its own here. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export interface CommandResult {
  /** 127 when the program does not exist, like a shell says. */
  readonly code: number;
  readonly output: string;
}

export interface SearchEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly architecture: string;
  readonly homeDirectory: string;
  /** Runs a program to its end; never rejects. `cwd` defaults to `/`. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** The names in a directory; empty when there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** The bytes behind an address. @throws when it cannot be had. */
  download(url: string): Promise<Uint8Array>;
  /**
   * Calls `make` with an empty directory beside `target`, moves the file whose path it returns to `target` in one
   * step, executable, and removes the directory: whoever looks sees no file or a whole one.
   */
  install(target: string, make: (directory: string) => Promise<string>): Promise<void>;
  write(path: string, content: Uint8Array): Promise<void>;
}

export interface RunOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

const DOWNLOAD_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 30_000;

/** This machine. */
export function machineEnvironment(): SearchEnvironment {
  return {
    variables: process.env,
    platform: process.platform,
    architecture: process.arch,
    homeDirectory: homedir(),
    run: runProgram,
    list: (directory) => readdir(directory).catch(() => []),
    download: downloadBytes,
    install: installFile,
    write: (path, content) => writeFile(path, content),
  };
}

function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const settings = {
      cwd: options.cwd ?? '/',
      env: { ...process.env, ...options.variables },
      timeout: options.timeoutMs ?? COMMAND_TIMEOUT_MS,
      maxBuffer: 16 * 1024 * 1024,
    };
    execFile(program, args, settings, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      if (error === null) return resolve({ code: 0, output });
      const code = typeof error.code === 'number' ? error.code : 127;
      resolve({ code, output: output || error.message });
    });
  });
}

async function downloadBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function installFile(target: string, make: (directory: string) => Promise<string>): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const directory = await mkdtemp(join(dirname(target), '.install-'));
  try {
    const made = await make(directory);
    await chmod(made, 0o755);
    await rename(made, target);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
