/**
 * The reference's script: 4 MB of text inside a Fastify plugin. It is taken out and compressed by a thread that then
 * ends, when somebody first opens the page: a replica keeps the compressed bytes, loads no plugin, and never waits for
 * either.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

export interface CompressedScript {
  readonly bytes: Buffer;
  readonly etag: string;
}

export class ReferenceScript {
  #script: Promise<CompressedScript> | undefined;

  /** Reads the script at the first call; one that failed is tried again at the next. */
  async load(): Promise<CompressedScript> {
    this.#script ??= extract();
    try {
      return await this.#script;
    } catch (error) {
      this.#script = undefined;
      throw error;
    }
  }
}

async function extract(): Promise<CompressedScript> {
  const program = `./extract-script${extname(import.meta.url)}`;
  const worker = new Worker(new URL(program, import.meta.url), { execArgv: [] });
  const [answer] = (await once(worker, 'message')) as [Uint8Array];
  await worker.terminate();
  const bytes = Buffer.from(answer);
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}
