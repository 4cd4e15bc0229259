import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

/** What a request was refused with: a sentence of what happened and one of what to do. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly action: string;
  readonly reference: string;
  readonly faults: Schemas['FieldFault'][];
  readonly checks: Schemas['Check'][];
  readonly plan?: Schemas['Plan'];

  constructor(p: Partial<Problem> & { status: number }) {
    super(p.detail ?? 'Trueup did not answer.');
    this.status = p.status;
    this.code = p.code ?? 'unexpected';
    this.detail = p.detail ?? 'Trueup did not answer.';
    this.action = p.action ?? 'Try again in a minute.';
    this.reference = p.reference ?? '';
    this.faults = p.faults ?? [];
    this.checks = p.checks ?? [];
    this.plan = p.plan;
  }

  /** By field of the request, what is wrong with it. */
  get fields(): Record<string, string> {
    return Object.fromEntries(this.faults.map((f) => [f.field, f.text]));
  }
}

/** Answers that have an ETag, to ask whether they are still so; the newest last. */
const kept = new Map<string, { tag: string; body: string; type: string }>();
const keptAtMost = 40;

async function ask(request: Request): Promise<Response> {
  const before = request.method === 'GET' ? kept.get(request.url) : undefined;
  const sent = before ? new Request(request, { headers: { ...Object.fromEntries(request.headers), 'If-None-Match': before.tag } }) : request;
  const response = await globalThis.fetch(sent);
  if (response.status === 304 && before) {
    return new Response(before.body, { status: 200, headers: { 'Content-Type': before.type, ETag: before.tag } });
  }
  const tag = response.headers.get('ETag');
  if (request.method === 'GET' && response.ok && tag) {
    kept.delete(request.url);
    kept.set(request.url, { tag, body: await response.clone().text(), type: response.headers.get('Content-Type') ?? '' });
    const oldest = kept.keys().next().value;
    if (kept.size > keptAtMost && oldest) kept.delete(oldest);
  }
  return response;
}

/** Forgets what was answered: another person or workspace must not see it. */
export function forget() {
  kept.clear();
}

export const api = createClient<paths>({
  baseUrl: `${globalThis.location.origin}/api/v1`,
  fetch: ask,
  querySerializer: { array: { style: 'form', explode: true } },
});

/** The data of an answer; what isn't one is thrown as an ApiError. */
export async function got<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let a: { data?: T; error?: unknown; response: Response };
  try {
    a = await answer;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError({ status: 0, code: 'unreachable', detail: 'Trueup did not answer.', action: 'Check your connection, then try again.' });
  }
  if (a.response.ok) return a.data as T;
  const p = (a.error && typeof a.error === 'object' ? a.error : {}) as Partial<Problem>;
  throw new ApiError({
    ...p,
    status: a.response.status,
    reference: p.reference ?? a.response.headers.get('X-Request-Id') ?? '',
  });
}

/** A version as If-Match wants it. */
export const match = (version: string) => ({ 'If-Match': `"${version.replace(/^(W\/)?"|"$/g, '')}"` });
