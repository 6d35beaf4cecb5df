// Reads the input of a request.
import type { IncomingMessage } from 'node:http';
import { type Answer, badRequest, errorAnswer } from './answer.ts';

/** The input that a request carries for its route, or why it is rejected. */
type RequestInput =
  | { readonly kind: 'input'; readonly input: unknown }
  | { readonly kind: 'refused'; readonly answer: Answer }
  /** The client closed the connection before it had sent everything. */
  | { readonly kind: 'gone' };

/** The largest body that is accepted. */
const MAX_BODY_BYTES = 64 * 1024;

/** The path of a request's target, without its query. */
export function requestPath(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** Reads the body of a POST as JSON (`{}` if it is empty), or the query of a GET as an object of texts. Never rejects. */
export async function readInput(request: IncomingMessage): Promise<RequestInput> {
  return request.method === 'GET' ? readQuery(request) : readJson(request);
}

function readQuery(request: IncomingMessage): RequestInput {
  if (request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0) {
    return refused(badRequest('a GET takes no body'));
  }
  const input = new Map<string, string>();
  for (const [key, value] of new URLSearchParams((request.url ?? '').slice(requestPath(request).length))) {
    if (input.has(key)) return refused(badRequest('a key occurs twice in the query'));
    input.set(key, value);
  }
  return { kind: 'input', input: Object.fromEntries(input) };
}

async function readJson(request: IncomingMessage): Promise<RequestInput> {
  if ((request.url ?? '').includes('?')) return refused(badRequest('a POST takes no query'));
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return refused(tooLarge);
  const body = await collect(request);
  if (body === 'gone') return { kind: 'gone' };
  if (body === 'too_large') return refused(tooLarge);
  if (body.length === 0) return { kind: 'input', input: {} };
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
    return refused(errorAnswer(415, 'unsupported_media_type', 'expected Content-Type: application/json'));
  }
  try {
    return { kind: 'input', input: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return refused(badRequest('the body is not valid JSON in UTF-8'));
  }
}

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

const tooLarge = errorAnswer(413, 'too_large', `the body is too large (expected at most ${MAX_BODY_BYTES} bytes)`);

function refused(answer: Answer): RequestInput {
  return { kind: 'refused', answer };
}

function collect(request: IncomingMessage): Promise<Buffer | 'too_large' | 'gone'> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      // Further data is read and discarded until the answer has closed the connection.
      chunks = [];
      resolve('too_large');
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('gone'));
    request.on('close', () => resolve('gone'));
  });
}
