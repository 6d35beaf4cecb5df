// Whether an HTTP answer is as the operator expects.
import { configuredSeconds } from '../../core/text/duration.ts';
import { expectedWords, meets } from '../expected-text.ts';
import type { StatusRange } from '../http.ts';
import type { Answer } from '../worker/answer.ts';
import type { Body } from './body.ts';
import { jsonFault } from './json.ts';
import type { UrlWork } from './work.ts';

/** What has come. */
interface Come {
  readonly status: number;
  readonly body: Body;
  readonly tookMs: number;
}

/** The answer to a look. The reasons have what the operator expects, and nothing of the body. */
export function judge(work: UrlWork, { status, body, tookMs }: Come): Answer {
  if (!work.status.some(([first, last]) => status >= first && status <= last)) {
    return failing(`status ${status} (expected ${work.status.map(rangeWords).join(', ')})`);
  }
  if (body.kind === 'broken') return failing(body.reason);
  const fault = body.kind === 'read' ? bodyFault(work, body) : isBodyWanted(work) ? unknown(body.reason) : undefined;
  if (fault !== undefined) return fault;
  if (work.mostMs > 0 && tookMs > work.mostMs) {
    return failing(`answered in ${configuredSeconds(tookMs)} (expected at most ${configuredSeconds(work.mostMs)})`);
  }
  return { kind: 'ok' };
}

function isBodyWanted({ expectBody, rejectBody, expectJson }: UrlWork): boolean {
  return expectBody !== undefined || rejectBody !== undefined || expectJson.length > 0;
}

function bodyFault(
  { expectBody, rejectBody, expectJson }: UrlWork,
  { text, isCut }: Body & { kind: 'read' },
): Answer | undefined {
  for (const wanted of [rejectBody, expectBody]) {
    if (wanted === undefined) continue;
    const found = meets(text, wanted);
    const isText = wanted.kind === 'text';
    const words = expectedWords(wanted);
    if (found === 'slow') return unknown(`matching the body against ${words} takes too long`);
    if (wanted === rejectBody && found === 'yes') return failing(`the body ${isText ? 'contains' : 'matches'} ${words}`);
    if (wanted === expectBody && found === 'no') return failing(`the body ${isText ? 'lacks' : 'does not match'} ${words}`);
  }
  if (expectJson.length === 0) return undefined;
  if (isCut) return unknown('the body is longer than 1 MiB, too long to be read as JSON');
  const json = parsed(text);
  if (json === undefined) return failing('the body is not JSON');
  const faults = expectJson.map((expectation) => jsonFault(json.value, expectation)).filter((fault) => fault !== undefined);
  return faults[0] === undefined ? undefined : failing(faults[0]);
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    // Some servers begin it with a byte order mark.
    return { value: JSON.parse(text.replace(/^\ufeff/, '')) };
  } catch {
    return undefined;
  }
}

function rangeWords([first, last]: StatusRange): string {
  if (first === last) return String(first);
  return first % 100 === 0 && last === first + 99 ? `${first / 100}xx` : `${first}-${last}`;
}

function failing(reason: string): Answer {
  return { kind: 'failing', reason };
}

function unknown(reason: string): Answer {
  return { kind: 'unknown', reason };
}
