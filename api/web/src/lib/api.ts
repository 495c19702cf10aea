// The one way to the server. Errors are of two sorts: a Problem is the server's own answer (RFC 9457), an Unreached means
// that nothing is known of what became of the request.
import { lang } from '../i18n';
import { learn } from './clock';

export interface FieldFault { location: string; code?: string; message: string }

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly request = '',
    readonly faults: FieldFault[] = [],
    readonly retryAfter = 0,
  ) {
    super(`${status} ${code}`);
  }
}

export class Unreached extends Error {
  constructor(readonly why: 'offline' | 'timeout' | 'answer') {
    super(why);
  }
}

// Which login this page is for: a browser may hold a resident's and a staff member's at once.
let as: 'resident' | 'staff' | '' = '';
export const actAs = (who: 'resident' | 'staff'): void => { as = who; };

// The token of this page view. The browser keeps its own copy in a cookie that scripts cannot read; where the page is not
// secure the browser refuses that cookie, and the token lives until the page is reloaded.
let token = '';
export const setToken = (t: string): void => { token = t; };

const patience = 10_000; // milliseconds

export async function call<T>(method: string, path: string, body?: unknown, wait = patience): Promise<T> {
  return ask(method, path, body, wait, 'application/json', async (res) => {
    const text = await res.text();
    return (text === '' ? undefined : parse(text)) as T;
  });
}

// fetchSigned gets a signed document and the value of a header.
export function fetchSigned(path: string, header: string): Promise<{ data: Uint8Array<ArrayBuffer>; header: string }> {
  return ask('GET', path, undefined, patience, '*/*', async (res) => ({ data: new Uint8Array(await res.arrayBuffer()), header: res.headers.get(header) ?? '' }));
}

async function ask<T>(method: string, path: string, body: unknown, wait: number, accept: string, read: (res: Response) => Promise<T>): Promise<T> {
  const headers: Record<string, string> = { 'Accept-Language': lang() === 'zh' ? 'zh-CN' : 'en', Accept: accept };
  if (as) headers['Kangma-As'] = as;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), wait);
  try {
    const res = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: stop.signal, credentials: 'same-origin', cache: 'no-store',
    });
    learn(res.headers.get('Date'), Date.now());
    if (!res.ok) throw problemOf(res, await res.text());
    return await read(res);
  } catch (err) {
    if (err instanceof Problem || err instanceof Unreached) throw err;
    throw new Unreached(stop.signal.aborted ? 'timeout' : 'offline');
  } finally {
    clearTimeout(timer);
  }
}

function parse(text: string): unknown {
  try { return JSON.parse(text); } catch { throw new Unreached('answer'); }
}

// problemOf reads a problem document; anything else (a proxy's page, say) is known by its status only.
function problemOf(res: Response, text: string): Problem {
  let doc: Record<string, unknown> = {};
  try { doc = JSON.parse(text) as Record<string, unknown>; } catch { /* not ours */ }
  const str = (v: unknown): string => (typeof v === 'string' ? v : '');
  const faults = Array.isArray(doc.errors)
    ? (doc.errors as Record<string, unknown>[]).map((e) => ({ location: str(e.location), code: str(e.code), message: str(e.message) }))
    : [];
  return new Problem(
    res.status, str(doc.code) || `http_${res.status}`, str(doc.detail) || str(doc.title), str(doc.instance).replace(/^urn:uuid:/, ''), faults,
    Number(res.headers.get('Retry-After')) || 0,
  );
}

// unreached says whether the server itself was not there: no answer, or that of something in between.
export const unreached = (err: unknown): boolean =>
  (err instanceof Unreached && err.why !== 'answer') || (err instanceof Problem && (err.status === 502 || err.status === 504));

// unsettled says whether trying the same again may help: nothing was answered, or the server said "not now".
export function unsettled(err: unknown): boolean {
  if (err instanceof Problem) return err.status >= 502 || err.status === 429;
  return err instanceof Unreached && err.why !== 'answer';
}
