// One signed request, as the article's client makes it: the three headers, no nonce, the body written in one piece (so
// HTTP/1.1 sends it chunked unless a content-length is given). Prints {"status","body","headers"} on one line; a
// request that gets no response prints the error on standard error and exits with 1.
//
//   --url http://HOST[:PORT]/TARGET   the target is signed and sent exactly as written
//   --method M                        GET if absent; signed in upper case and sent as Node sends it
//   --credential NAME                 else SERVICE_NAME, else "unknown"
//   --secret-hex HEX
//   --body TEXT | --body-file FILE
//   --content-type TYPE               of a request with a body: application/json if absent, none if empty
//   --date ISO                        else now
//   --signed-host NAME                sign this host instead of the one that is sent
//   --header 'name: value'            unsigned, repeatable; it replaces a header of the same name
//   --seed                            the three-header form; it is the only one
//
// DIFFERENCE: the article cannot send a request without a body (its content-type is then undefined), signs the bare
// host name where Node sends host:port, and serializes a text body again after signing it.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { parseArgs } from 'node:util';
import { signRequest } from './sign.mjs';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    method: { type: 'string', default: 'GET' },
    credential: { type: 'string' },
    'secret-hex': { type: 'string' },
    body: { type: 'string' },
    'body-file': { type: 'string' },
    'content-type': { type: 'string', default: 'application/json' },
    date: { type: 'string' },
    'signed-host': { type: 'string' },
    header: { type: 'string', multiple: true, default: [] },
    seed: { type: 'boolean', default: true },
  },
});

const { hostname, port, target } = splitUrl(required('url'));
const body = readBody();
const outgoing = request({ hostname, port, path: target, method: options.method });
if (body.length > 0) {
  if (options['content-type']) outgoing.setHeader('content-type', options['content-type']);
}
for (const [name, value] of extraHeaders()) outgoing.setHeader(name, value);
if (body.length > 0 && !outgoing.hasHeader('content-length')) {
  // Node frames a body of its own accord for some methods only.
  outgoing.setHeader('transfer-encoding', 'chunked');
}

const signed = signRequest({
  secret: Buffer.from(required('secret-hex'), 'hex'),
  method: options.method,
  path: target,
  host: options['signed-host'] ?? outgoing.getHeader('host'),
  body,
  date: options.date && new Date(options.date),
  credential: options.credential,
});
for (const [name, value] of [
  ['x-date', signed.date],
  ['x-content-sha256', signed.contentHash],
  ['authorization', signed.authorization],
]) {
  if (!outgoing.hasHeader(name)) outgoing.setHeader(name, value);
}

let answered = false;
outgoing.on('response', (response) => {
  answered = true;
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('error', fail);
  response.on('end', () => {
    const { statusCode: status, headers } = response;
    console.log(JSON.stringify({ status, body: Buffer.concat(chunks).toString(), headers }));
    outgoing.destroy();
  });
});
// A server may answer and close before it has read the whole body; the answer counts.
outgoing.on('error', (error) => answered || fail(error));
if (body.length > 0) outgoing.write(body);
outgoing.end();

function splitUrl(url) {
  const parts = /^http:\/\/(\[[^\]]*\]|[^/?#:]*)(?::(\d+))?(.*)$/s.exec(url);
  if (!parts) fail(new Error(`expected http://host[:port]/target, found ${url}`));
  const [, host, port, rest] = parts;
  return {
    hostname: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? 80),
    target: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

function readBody() {
  if (options['body-file'] !== undefined) return readFileSync(options['body-file']);
  return Buffer.from(options.body ?? '');
}

/** Name and value of each --header; the values of a repeated name come as a list, so that each is sent. */
function extraHeaders() {
  const headers = new Map();
  for (const text of options.header) {
    const colon = text.indexOf(':');
    if (colon < 1) fail(new Error(`expected 'name: value', found ${text}`));
    const name = text.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), text.slice(colon + 1).trim()]);
  }
  return [...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
}

function required(name) {
  return options[name] ?? fail(new Error(`--${name} is required`));
}

function fail(error) {
  console.error(error.code ? `${error.code}: ${error.message}` : error.message);
  process.exit(1);
}
