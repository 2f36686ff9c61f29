// draft-cavage-http-signatures with the npm package http-signature 1.4 and http.request. A client, see peer.mjs.
//
//   "alg"           hmac-sha256, rsa-sha256 or ed25519-sha512
//   "key_id", "secret"   of hmac-sha256 the text that both sides share, else PEM (PKCS #8)
//   "signature_header"   whether the parameters are in Signature and not in Authorization
//   "headers"       if absent: (request-target), host, date, and with a body digest and content-type
//
// Digest is made here, the library knows nothing of it: SHA-256, for every request with a body. The library sets Date.
import { createHash } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { load, runClient } from './peer.mjs';

const { sign } = load('http-signature');

await runClient(({ method, target, headers, body }, input) => {
  if (body) {
    headers.digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
    headers['content-length'] = String(body.length);
  }
  return new Promise((resolve, reject) => {
    const outgoing = http.request(input.url + target, { method, headers }, (response) => {
      text(response).then((content) => resolve({ status: response.statusCode, body: content }), reject);
    });
    outgoing.on('error', reject);
    const covered = ['(request-target)', 'host', 'date', ...(body ? ['digest', 'content-type'] : [])];
    sign(outgoing, {
      key: input.secret,
      keyId: input.key_id,
      algorithm: input.alg,
      headers: input.headers ?? covered,
      authorizationHeaderName: input.signature_header ? 'Signature' : 'Authorization',
    });
    outgoing.end(body);
  });
});
