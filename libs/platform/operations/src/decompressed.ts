import { createGunzip } from 'node:zlib';
import { problem } from '@onepool/platform-problem';
import type { FastifyRequest } from 'fastify';

/** The caller went away; nobody waits for an answer. */
class UploadCutError extends Error {
  override readonly name = 'UploadCutError';
}

/**
 * The body of a request as it was before compression. Reading it fails with zlib's error when it is not what
 * `Content-Encoding: gzip` says.
 *
 * @throws ProblemError 415 for any other encoding.
 */
export function decompressed(request: FastifyRequest): AsyncIterable<Uint8Array> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const raw = (request.body ?? request.raw) as NodeJS.ReadableStream;
  if (encoding === 'identity') return raw as AsyncIterable<Uint8Array>;
  if (encoding !== 'gzip') {
    const detail = 'Content-Encoding may be gzip or identity.';
    throw problem('request.unsupported_media_type', { detail, headers: { 'accept-encoding': 'gzip, identity' } });
  }
  return gunzipped(raw, request);
}

async function* gunzipped(raw: NodeJS.ReadableStream, request: FastifyRequest): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // It is told to whoever reads; without a listener it would end the process.
  gunzip.on('error', () => undefined);
  // An upload that is cut must end the reading too. What had come of it is gone with the connection, even if it was all.
  const isCut = (): boolean => request.raw.destroyed && !request.raw.readableEnded;
  if (isCut()) throw new UploadCutError('the upload was cut');
  request.raw.once('close', () => {
    if (isCut()) gunzip.destroy(new UploadCutError('the upload was cut'));
  });
  yield* raw.pipe(gunzip) as AsyncIterable<Uint8Array>;
}
