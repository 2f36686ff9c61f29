// The article's signer: METHOD, target, the three header lines, an empty line, the names, the body hash; HMAC-SHA256
// in lower-case hex. It upper-cases the method, serializes objects with JSON.stringify and takes text and bytes as
// they are.
//
// DIFFERENCE: it also returns the canonical request and the signature (the article's tests read `signature`, which its
// function does not return), and the credential may be an argument.
import { createHash, createHmac } from 'node:crypto';

export const SIGNED_HEADERS = 'host;x-date;x-content-sha256';

/** Lower-case hex of the SHA-256 of `bytes`. */
export function sha256Hex(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The text that is signed. The two places that name the hash hold the same one. */
export function canonicalRequest({ method, path, host, date, signedHeaders, contentHash }) {
  const head = `${method}\n${path}\n`;
  const lines = `host:${host}\nx-date:${date}\nx-content-sha256:${contentHash}\n`;
  return `${head}${lines}\n${signedHeaders}\n${contentHash}`;
}

/** Lower-case hex of the HMAC-SHA256 of `text`. */
export function hmacHex(secret, text) {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** Signs one request; `secret` is a Buffer, `body` is null, undefined, a Buffer, a string or a value for JSON. */
export function signRequest({ secret, method, path, host, body, date: at, credential }) {
  const date = (at ?? new Date()).toUTCString();
  const contentHash = sha256Hex(bodyBytes(body));
  const text = canonicalRequest({
    method: method.toUpperCase(),
    path,
    host,
    date,
    signedHeaders: SIGNED_HEADERS,
    contentHash,
  });
  const signature = hmacHex(secret, text);
  const caller = credential ?? process.env.SERVICE_NAME ?? 'unknown';
  return {
    authorization: `HMAC-SHA256 credential=${caller}, signed-headers=${SIGNED_HEADERS}, signature=${signature}`,
    date,
    contentHash,
    canonicalRequest: text,
    signature,
  };
}

function bodyBytes(body) {
  if (body == null) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
