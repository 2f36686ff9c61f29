// The article's receiving middleware, step for step: scheme prefix, parameters by position, known caller, date within
// the window, body hash, signature. It keeps what a strict verifier must not do: parameter names are not read, a value
// ends at its second `=`, the signed-headers text is copied from the wire, dates are whatever `new Date` takes,
// `Buffer.from(…, 'hex')` stops at the first character that is not hex, and a missing Host is "localhost".
//
// DIFFERENCE: a caller may have several keys (one, in the article), `now` is an argument, and each refusal names its
// step in one word.
import { timingSafeEqual } from 'node:crypto';
import { canonicalRequest, hmacHex, sha256Hex } from './sign.mjs';

const PREFIX = 'HMAC-SHA256 ';

/** Express middleware; `secrets` maps a caller to a list of keys. */
export function verifySignature({ secrets, clockSkewMs = 300_000, now = Date.now }) {
  return (req, res, next) => {
    const refuse = (error) => {
      res.status(401).json({ error });
    };

    const header = req.headers.authorization;
    if (!header?.startsWith(PREFIX)) return refuse('authorization_missing');

    const [credential, signedHeaders, signature] = header
      .slice(PREFIX.length)
      .split(', ')
      .map((parameter) => parameter.split('=')[1]);
    if (!credential || !signedHeaders || !signature) return refuse('authorization_malformed');

    const keys = secrets.get(credential);
    if (!keys) return refuse('credential_unknown');

    const date = req.headers['x-date'];
    if (!date) return refuse('date_missing');
    const age = now() - new Date(date).getTime();
    if (Number.isNaN(age) || Math.abs(age) > clockSkewMs) return refuse('date_outside_window');

    const contentHash = sha256Hex(req.rawBody ?? Buffer.alloc(0));
    if (contentHash !== req.headers['x-content-sha256']) return refuse('body_hash_mismatch');

    const text = canonicalRequest({
      method: req.method,
      path: req.originalUrl || req.url,
      host: req.headers.host ?? 'localhost',
      date,
      signedHeaders,
      contentHash,
    });
    if (!keys.some((key) => matches(signature, hmacHex(key, text)))) return refuse('signature_mismatch');

    req.verifiedCaller = credential;
    next();
  };
}

function matches(signature, expected) {
  const given = Buffer.from(signature, 'hex');
  const wanted = Buffer.from(expected, 'hex');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * The keys of each caller, from the article's two variables (JSON, name to hex). As there, a rotating key is ignored
 * for a caller that has a primary one; with `FIXED_ROTATION=1` both verify.
 */
export function loadSecrets(env) {
  if (!env.SERVICE_SECRETS) throw new Error('SERVICE_SECRETS is not set');
  const secrets = new Map();
  for (const [caller, hex] of entries(env.SERVICE_SECRETS)) secrets.set(caller, [Buffer.from(hex, 'hex')]);
  for (const [caller, hex] of entries(env.ROTATING_SERVICE_SECRETS || '{}')) {
    const key = Buffer.from(hex, 'hex');
    if (!secrets.has(caller)) secrets.set(caller, [key]);
    else if (env.FIXED_ROTATION === '1') secrets.get(caller).push(key);
  }
  return secrets;
}

function entries(json) {
  return Object.entries(JSON.parse(json));
}
