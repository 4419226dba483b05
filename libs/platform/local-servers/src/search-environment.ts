/** Everything outside us that the search for a program touches, so that a test can put a machine of its own here. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

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
  /** The bytes behind an address. @throws when it cannot be had; where nothing answers that is within seconds. */
  download(url: string, onBytes?: (received: number, total: number | undefined) => void): Promise<Uint8Array>;
  /**
   * Calls `make` with an empty directory beside `target`, moves the file whose path it returns to `target` in one
   * step, executable, and removes the directory: whoever looks sees no file or a whole one.
   */
  install(target: string, make: (directory: string) => Promise<string>): Promise<void>;
  write(path: string, content: Uint8Array | string): Promise<void>;
  /** The text of a file; empty when it cannot be read. */
  read(path: string): Promise<string>;
  /** Milliseconds since 1970. */
  now(): number;
}

export interface RunOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Told each line as it is printed. */
  readonly onLine?: (line: string) => void;
}

/** So long may a server take to answer at all, and between two pieces of its answer. */
const SILENCE_MAX_MS = 5_000;
const OUTPUT_MAX_LENGTH = 1024 * 1024;
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
    write: async (path, content) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    },
    read: (path) => readFile(path, 'utf8').catch(() => ''),
    now: () => Date.now(),
  };
}

/** `${XDG_CACHE_HOME:-~/.cache}/onepool`. */
export function cacheDirectory({ variables, homeDirectory }: SearchEnvironment): string {
  return join(variables['XDG_CACHE_HOME'] || join(homeDirectory, '.cache'), 'onepool');
}

function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const { cwd = '/', variables, timeoutMs = COMMAND_TIMEOUT_MS, onLine } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...variables },
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        output = `${output}${line}\n`.slice(-OUTPUT_MAX_LENGTH);
        onLine?.(line);
      });
    }
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code, signal) => {
      const limit = signal === null ? '' : `ended by ${signal}, after ${timeoutMs / 1_000} s at most`;
      resolve({ code: code ?? 124, output: `${output}${limit}` });
    });
  });
}

async function downloadBytes(
  url: string,
  onBytes: (received: number, total: number | undefined) => void = () => undefined,
): Promise<Uint8Array> {
  const silence = new AbortController();
  const abort = (): void => silence.abort(new Error(`no byte came within ${SILENCE_MAX_MS / 1_000} s`));
  const timer = setTimeout(abort, SILENCE_MAX_MS);
  try {
    const response = await fetch(url, { signal: silence.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const total = Number(response.headers.get('content-length')) || undefined;
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      chunks.push(chunk as Uint8Array);
      received += (chunk as Uint8Array).length;
      onBytes(received, total);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw reasonOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` says only that it failed; the reason is below. */
function reasonOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== '' ? cause : error;
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
