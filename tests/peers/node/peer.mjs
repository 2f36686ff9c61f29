// What the peers of the interop tests share: where packages come from, the loop of a client, the server of a verifier.
//
//   COUNTERSIGN_NODE_MODULES   the node_modules folder that holds the packages, if they are not found from here
//
// A client reads one JSON object from standard input: {"url", …, "requests": [{"name", "method", "target", "headers",
// "body"}]}, the body in base64 or null. It sends them in that order and prints one JSON array of {"name", "status",
// "body", "error"}; a request that the library refuses to sign or to send has only the error. What else a client reads
// is told at its head.
//
// A verifier reads its configuration from its argument (JSON), listens on a free port of 127.0.0.1, prints {"port":N}
// on one line when it is ready, answers 200 or 401, and ends when its standard input closes.
import { createHash } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buffer, json, text } from 'node:stream/consumers';

// The peers live on the loopback; some of the HTTP clients would ask a proxy.
for (const name of Object.keys(process.env)) {
  if (/^(https?|all)_proxy$/i.test(name)) delete process.env[name];
}

/** The package `name`. */
export function load(name) {
  const folder = process.env.COUNTERSIGN_NODE_MODULES;
  if (folder) {
    try {
      // The file need not exist: modules are looked for from where it would be.
      return createRequire(path.resolve(folder, 'from.cjs'))(name);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return createRequire(import.meta.url)(name);
}

/** Runs a client; `send(request, input)` makes one request, whose body is a Buffer or undefined. */
export async function runClient(send) {
  const input = await json(process.stdin);
  const answers = [];
  for (const { name, body: base64, headers = {}, ...request } of input.requests) {
    const body = base64 == null ? undefined : Buffer.from(base64, 'base64');
    try {
      const answer = await send({ ...request, headers: { ...headers }, body }, input);
      answers.push({ name, ...answer, error: null });
    } catch (error) {
      answers.push({ name, status: null, body: null, error: describe(error) });
    }
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`, () => process.exit(0));
}

/** Sends with http.request; `options` are its options, or {"url", "method", "headers"}. */
export function sendHttp({ url, ...options }, body) {
  return new Promise((resolve, reject) => {
    const respond = (response) => {
      text(response).then((content) => resolve({ status: response.statusCode, body: content }), reject);
    };
    const outgoing = url ? http.request(url, options, respond) : http.request(options, respond);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The outcome of a fetch. */
export async function fetched(response) {
  return { status: response.status, body: await response.text() };
}

/** Runs a verifier; `verify(request, body)` returns what the answer says besides "ok", or throws. */
export function serve(verify) {
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    const answer = (status, content) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    };
    try {
      const more = await verify(request, body);
      answer(200, { ok: true, ...more, len: body.length, sha256: createHash('sha256').update(body).digest('hex') });
    } catch (error) {
      answer(401, { error: describe(error) });
    }
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

/** The time in the form of X-Amz-Date. */
export function amzDate(date) {
  return new Date(date).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function describe(error) {
  const { message = String(error), cause } = error ?? {};
  if (cause?.message && cause.message !== message) return `${message}: ${cause.message}`;
  return message || error.code;
}
