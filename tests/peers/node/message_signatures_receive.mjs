// RFC 9421 with the npm package http-message-signatures 1.0. A verifier, see peer.mjs.
//
//   "keys"          key id to {"alg": "hmac-sha256", "secret": base64} or {"alg": "ed25519", "public": PEM (SPKI), or
//                   base64 of the 32 bytes}
//   "required"      components that must be covered; if absent: @method, @authority, @path, @query
//   "required_params"    if absent: created, keyid
//   "max_age", "tolerance"   seconds; 300 and 5 if absent
//
// Content-Digest is checked here, the library knows nothing of it: a request with a body must cover one with sha-256.
// Several signatures: the library answers with the outcome of the last one whose key is known.
import { createHash, createPublicKey } from 'node:crypto';
import { load, serve } from './peer.mjs';

const { createVerifier, httpbis } = load('http-message-signatures');
const { parseDictionary } = load('structured-headers');

// SPKI of an Ed25519 public key, up to its 32 bytes (RFC 8410, section 4).
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

const config = JSON.parse(process.argv[2] ?? '{}');
const keys = new Map(Object.entries(config.keys).map(([id, key]) => [id, verifyingKey(id, key)]));
const required = config.required ?? ['@method', '@authority', '@path', '@query'];

serve(async (request, body) => {
  let keyId = null;
  const message = {
    method: request.method,
    url: `http://${request.headers.host}${request.url}`,
    headers: request.headersDistinct,
  };
  const verified = await httpbis.verifyMessage(
    {
      keyLookup: async ({ keyid }) => {
        keyId = keyid;
        return keys.get(keyid) ?? null;
      },
      requiredFields: body.length > 0 ? [...required, 'content-digest'] : required,
      requiredParams: config.required_params ?? ['created', 'keyid'],
      maxAge: config.max_age ?? 300,
      tolerance: config.tolerance ?? 5,
    },
    message,
  );
  if (!verified) throw new Error(verified === null ? 'no signature of a known key' : 'signature does not match');
  const digests = request.headersDistinct['content-digest'];
  if (digests) checkDigest(digests.join(', '), body);
  return { keyid: keyId };
});

function checkDigest(header, body) {
  const [digest] = parseDictionary(header).get('sha-256') ?? [];
  if (!(digest instanceof ArrayBuffer)) throw new Error('content-digest has no sha-256');
  if (!createHash('sha256').update(body).digest().equals(Buffer.from(digest))) {
    throw new Error('content-digest does not match');
  }
}

function verifyingKey(id, { alg, secret, public: point }) {
  const key = alg === 'ed25519' ? publicKey(point) : Buffer.from(secret, 'base64');
  return { id, algs: [alg], verify: createVerifier(key, alg) };
}

function publicKey(point) {
  if (point.includes('-----BEGIN')) return createPublicKey(point);
  const der = Buffer.concat([ED25519_SPKI, Buffer.from(point, 'base64')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}
