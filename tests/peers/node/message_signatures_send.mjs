// RFC 9421 with the npm package http-message-signatures 1.0 and http.request. A client, see peer.mjs.
//
//   "alg"           hmac-sha256 or ed25519
//   "key_id", "secret"   base64; for ed25519 PEM (PKCS #8), or base64 of the 32-byte seed
//   "components"    if absent: @method, @authority, @path, @query, and content-digest when there is a body; one with
//                   parameters is spelled as in the field, "\"@query-param\";name=\"a\""
//   "params"        if absent: created, nonce, keyid, alg
//   "label", "tag", "expires_in"   sig if absent; tag and expires count only when they are among the params
//   "date"          ISO, or null for now; the time of created
//   per request     "components", "params" and "nonce" (random if absent) as above
//
// Content-Digest is made here, the library knows nothing of it: sha-256, for every request with a body. The library
// takes @path and @query from the URL as the URL class writes it; http.request sends the same.
import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import { load, runClient, sendHttp } from './peer.mjs';

const { createSigner, httpbis } = load('http-message-signatures');

// PKCS #8 of an Ed25519 private key, up to its 32-byte seed (RFC 8410, section 7).
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

await runClient(async ({ method, target, headers, body, nonce, ...request }, input) => {
  if (body) {
    headers['content-digest'] = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
    headers['content-length'] = String(body.length);
  }
  const created = input.date ? new Date(input.date) : new Date();
  const key = createSigner(secretKey(input), input.alg, input.key_id);
  const fields = request.components ?? input.components ?? [
    ...['@method', '@authority', '@path', '@query'],
    ...(body ? ['content-digest'] : []),
  ];
  const paramValues = {
    created,
    expires: new Date(created.getTime() + (input.expires_in ?? 60) * 1000),
    nonce: nonce ?? randomBytes(16).toString('base64url'),
    tag: input.tag ?? undefined,
  };
  const signed = await httpbis.signMessage(
    {
      key,
      name: input.label ?? 'sig',
      params: request.params ?? input.params ?? ['created', 'nonce', 'keyid', 'alg'],
      paramValues,
      fields,
    },
    { method, url: input.url + target, headers },
  );
  return sendHttp(signed, body);
});

function secretKey({ alg, secret }) {
  if (alg !== 'ed25519') return Buffer.from(secret, 'base64');
  if (secret.includes('-----BEGIN')) return createPrivateKey(secret);
  const der = Buffer.concat([ED25519_PKCS8, Buffer.from(secret, 'base64')]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
