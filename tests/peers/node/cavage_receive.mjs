// draft-cavage-http-signatures with the npm package http-signature 1.4. A verifier, see peer.mjs.
//
//   "keys"          key id to the text that both sides share
//   "required"      names that must be covered; if absent: (request-target), host, date, and with a body digest
//
// Digest is checked here, the library knows nothing of it: a request with a body must have one with SHA-256.
import { createHash } from 'node:crypto';
import { load, serve } from './peer.mjs';

const { parseRequest, verifyHMAC } = load('http-signature');

const config = JSON.parse(process.argv[2] ?? '{}');

serve((request, body) => {
  const names = config.required ?? ['(request-target)', 'host', 'date', ...(body.length > 0 ? ['digest'] : [])];
  const parsed = parseRequest(request, { headers: names, strict: true });
  const secret = config.keys[parsed.keyId];
  if (secret === undefined) throw new Error('the key is unknown');
  if (!verifyHMAC(parsed, secret)) throw new Error('signature does not match');
  const { digest } = request.headers;
  const found = `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
  if (digest !== undefined && digest !== found) throw new Error('digest does not match');
  return { keyid: parsed.keyId };
});
