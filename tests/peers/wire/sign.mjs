// Signs one request in HMAC-SHA256 or ED25519 and sends it. Run with:
// CALLER=billing KEY=<64 hex digits> URL=http://127.0.0.1:8081/api/account/7 node sign.mjs
import * as crypto from 'node:crypto';

// Returns the canonical request and the headers to send. No nonce: the three-header layout.
export function sign(scheme, key, caller, method, host, target, body, date, nonce, further) {
  const digest = crypto.createHash('sha256').update(body).digest('hex');
  const headers = [['x-date', date], ['x-content-sha256', digest]];
  if (nonce) headers.push(['x-nonce', nonce]);
  headers.push(...further);
  const covered = [['host', host], ...headers];
  const names = covered.map(([name]) => name).join(';');
  const lines = covered.map(([name, value]) => `${name}:${value}`);
  const text = [method, target, ...lines, '', names, digest].join('\n');
  const signature = (scheme === 'ED25519' ? ed25519Of : hmacOf)(key, text).toString('hex');
  const parameters = `credential=${caller}, signed-headers=${names}, signature=${signature}`;
  return [text, [...headers, ['authorization', `${scheme} ${parameters}`]]];
}

const hmacOf = (key, text) => crypto.createHmac('sha256', key).update(text).digest();

// PKCS #8 (RFC 8410 section 7) is a fixed start and the seed.
const START = Buffer.from('302e020100300506032b657004220420', 'hex');
const ed25519Of = (seed, text) => crypto.sign(null, Buffer.from(text),
  crypto.createPrivateKey({ key: Buffer.concat([START, seed]), format: 'der', type: 'pkcs8' }));

if (import.meta.filename === process.argv[1]) {
  const { SCHEME = 'HMAC-SHA256', CALLER, KEY, METHOD = 'GET', BODY = '' } = process.env;
  // `fetch` sends the host, the pathname and the search of the parsed URL.
  const url = new URL(process.env.URL);
  const further = BODY ? [['content-type', 'application/json']] : [];
  const [, headers] = sign(SCHEME, Buffer.from(KEY, 'hex'), CALLER, METHOD, url.host,
    url.pathname + url.search, BODY, new Date().toUTCString(),
    crypto.randomBytes(16).toString('hex'), further);
  const response = await fetch(url, { method: METHOD, headers, body: BODY || undefined });
  console.log(await response.text(), response.status);
}
