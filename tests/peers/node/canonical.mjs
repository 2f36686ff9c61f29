// Canonical requests and signatures of this project's schemes, for comparison.
//
// Standard input: a JSON array of {"method", "target", "headers": [[name, value], …], "content_sha256"} with
// "secret_hex" (HMAC-SHA256) or "ed25519_seed_hex" (Ed25519); the headers are the covered ones, in the order listed.
// Standard output: a JSON array of {"canonical_request", "signature"}, the signature in lower-case hex.
import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { text } from 'node:stream/consumers';

// PKCS #8 of an Ed25519 private key, up to its 32-byte seed (RFC 8410, section 7).
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const requests = JSON.parse(await text(process.stdin));
const answers = requests.map((request) => {
  const canonical = canonicalRequest(request);
  return { canonical_request: canonical, signature: signatureOf(request, canonical).toString('hex') };
});
process.stdout.write(`${JSON.stringify(answers)}\n`);

function canonicalRequest({ method, target, headers, content_sha256: contentHash }) {
  const lines = headers.map(([name, value]) => `${name}:${value}`);
  const names = headers.map(([name]) => name).join(';');
  return [method, target, ...lines, '', names, contentHash].join('\n');
}

function signatureOf({ secret_hex: secret, ed25519_seed_hex: seed }, canonical) {
  if (secret !== undefined) return createHmac('sha256', Buffer.from(secret, 'hex')).update(canonical).digest();
  const key = createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8, Buffer.from(seed, 'hex')]),
    format: 'der',
    type: 'pkcs8',
  });
  return sign(null, Buffer.from(canonical), key);
}
