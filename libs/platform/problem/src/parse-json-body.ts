import { isUtf8 } from 'node:buffer';
import { problem } from './catalogue.ts';
import { findForbiddenTextInJson } from './forbidden-text.ts';

/**
 * Parses a JSON request body.
 *
 * @throws ProblemError `request.malformed_json` when it is not JSON in UTF-8, `request.invalid` with the sub-code
 * `nul_byte`, `lone_surrogate` or `forbidden_key` when it holds text that must not come in.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) throw problem('request.malformed_json', { detail: 'The body is empty.' });
  if (body.includes(0)) {
    throw problem('request.invalid', {
      errors: [{ path: '', code: 'nul_byte', message: 'NUL characters are not allowed' }],
    });
  }
  if (!isUtf8(body)) throw problem('request.malformed_json', { detail: 'The body is not valid UTF-8.' });
  const decoded = body.toString('utf8');
  const text = decoded.charCodeAt(0) === 0xfeff ? decoded.slice(1) : decoded;
  const value = parse(text);
  const errors = findForbiddenTextInJson(text, value);
  if (errors.length > 0) throw problem('request.invalid', { errors });
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's message quotes the body, so it is kept out of the answer.
    throw problem('request.malformed_json', { cause });
  }
}
