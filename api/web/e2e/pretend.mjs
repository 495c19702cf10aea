// A server that serves the built pages under the real content policy and answers the API as a test tells it to, for the
// states that a healthy server does not show: no network, no rules, a journal that cannot be written.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const dist = new URL('../dist/', import.meta.url).pathname;
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.txt': 'text/plain; charset=utf-8', '.png': 'image/png', '.webmanifest': 'application/manifest+json' };
const pages = { '/': 'index.html', '/resident': 'resident.html', '/gate': 'gate.html', '/vehicle': 'vehicle.html', '/office': 'office.html' };

// The policy is read from where the real server sets it, so that the two cannot drift apart.
async function policy() {
  const go = await readFile(new URL('../../middleware.go', import.meta.url), 'utf8');
  const m = /contentPolicy = ("[\s\S]*?")\n\n/.exec(go);
  if (!m) throw new Error('contentPolicy not found in api/middleware.go');
  return [...m[1].matchAll(/"([^"]*)"/g)].map((s) => s[1]).join('');
}

export async function pretend() {
  const csp = await policy();
  const state = { answers: {}, seen: [], edit: (_, body) => body }; // edit: what a newer version has in a file
  const server = createServer(async (req, res) => {
    const path = new URL(req.url, 'http://x').pathname;
    res.setHeader('Content-Security-Policy', csp);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    if (path.startsWith('/v1/')) return api(state, req, res, path);
    try {
      const file = join(dist, normalize(pages[path] ?? path));
      const body = state.edit(path, await readFile(file));
      res.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream');
      res.end(body);
    } catch {
      res.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.close = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  return state;
}

async function api(state, req, res, path) {
  let text = '';
  for await (const chunk of req) text += chunk;
  const key = `${req.method} ${path}`;
  const body = text ? JSON.parse(text) : undefined;
  state.seen.push({ key, body, language: req.headers['accept-language'] });
  const answer = typeof state.answers[key] === 'function' ? state.answers[key](body) : state.answers[key];
  if (answer === 'gone') return req.socket.destroy();
  const [status, json, headers] = answer ?? [401, problem(401, 'unauthorized', 'log in first')];
  res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers });
  res.end(json === undefined ? '' : JSON.stringify(json));
}

export const problem = (status, code, detail, errors) => ({ type: 'about:blank', title: 'x', status, code, detail, instance: 'urn:uuid:0123456789abcdef', ...(errors && { errors }) });
