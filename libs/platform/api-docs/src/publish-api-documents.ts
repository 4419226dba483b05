/**
 * The documents that describe an app's API, for programs and for people: `/openapi.json`, `/asyncapi.json`, and `/docs`,
 * where the first is shown as a reference to read, search and try.
 *
 * The reference is Scalar's. Its script comes from the npm package and from this server; the page's content security
 * policy lets the browser speak to this server only, whatever the script might want to fetch.
 */
import { publicRoute } from '@onepool/platform-auth';
import { publicDocument } from '@onepool/platform-http';
import type { FastifyInstance } from 'fastify';
import { referencePage } from './reference-page.ts';
import { ReferenceScript } from './reference-script.ts';

export interface ApiDocuments {
  /** Shown as the page's title. */
  readonly title: string;
  readonly openApi: object;
  readonly asyncApi: object;
}

const SCRIPT_PATH = '/docs/reference.js';

/** The script makes its own style elements; everything else that a page could load or send is for this server only. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SAFE_HEADERS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/**
 * Serves the documents to anybody. Call it after `installAuth`, like every route.
 *
 * @example publishApiDocuments(server, { title: 'Availability', openApi: openApiDocument(), asyncApi: asyncApiDocument() });
 */
export function publishApiDocuments(server: FastifyInstance, { title, openApi, asyncApi }: ApiDocuments): void {
  publicDocument(server, '/openapi.json', { body: openApi });
  publicDocument(server, '/asyncapi.json', { body: asyncApi });
  publicDocument(server, '/docs', {
    body: referencePage({ title, scriptPath: SCRIPT_PATH }),
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': CONTENT_SECURITY_POLICY, ...SAFE_HEADERS },
  });
  const script = new ReferenceScript();
  server.get(SCRIPT_PATH, publicRoute, async (request, reply) => {
    const { bytes, etag } = await script.load();
    reply.headers({ ...SAFE_HEADERS, etag, 'cache-control': 'no-cache' });
    if (request.headers['if-none-match'] === etag) return reply.status(304).send();
    return reply.type('text/javascript; charset=utf-8').header('content-encoding', 'gzip').send(bytes);
  });
}
