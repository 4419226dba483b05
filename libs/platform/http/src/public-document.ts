/**
 * Documents that anybody may read and that never change while the process runs: API descriptions, reference pages and
 * their scripts. Their bytes are made once and shared by every answer, so that a thousand callers who ask and never read
 * cost a thousand headers and not a thousand documents.
 */
import { createHash } from 'node:crypto';
import { publicRoute } from '@onepool/platform-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface PublicDocument {
  /** Bytes and text are served as they are, anything else as JSON. */
  readonly body: Buffer | string | object;
  /** The media type; `application/json; charset=utf-8` unless said otherwise. */
  readonly type?: string;
  /** More response headers, such as a content security policy; they may replace `cache-control`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Serves `document` to anybody at `GET` and `HEAD path`, with its length and an `ETag`; who has it already is answered
 * 304 without a body.
 *
 * @example
 * publicDocument(server, '/openapi.json', { body: openApiDocument() });
 * publicDocument(server, '/docs', { body: page, type: 'text/html; charset=utf-8' });
 */
export function publicDocument(server: FastifyInstance, path: string, document: PublicDocument): void {
  const bytes = bytesOf(document.body);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  const headers = { 'cache-control': 'no-cache', etag, ...document.headers };
  const type = document.type ?? 'application/json; charset=utf-8';
  server.get(path, publicRoute, (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(headers);
    if (isKnown(request.headers['if-none-match'], etag)) return reply.status(304).send();
    return reply.type(type).send(bytes);
  });
}

function bytesOf(body: PublicDocument['body']): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** `If-None-Match` compares weakly, and `*` stands for whatever there is (RFC 9110, 13.1.2). */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
