// SigV4 with @smithy/signature-v4 5 (the signer of the AWS SDK for JavaScript 3) and http.request. A client, see
// peer.mjs. As in the SDK, the request is one of @smithy/core, its query an object, written out again to be sent, and
// the length of a body is a header that is signed.
//
//   "key_id", "secret", "region", "service", "session_token"
//   "date"          ISO, or null for now
//   per request     "presign": true presigns for "expires" seconds (60 if absent) and requests that URL
//                   "raw_target": true sends the target as given, not the one written from the request signed
import { load, runClient, sendHttp } from './peer.mjs';

const { SignatureV4 } = load('@smithy/signature-v4');
const { HttpRequest, buildQueryString, parseUrl } = load('@smithy/core/protocols');
const { Sha256 } = load('@aws-crypto/sha256-js');

await runClient(async ({ method, target, headers, body, presign, expires = 60, raw_target: raw }, input) => {
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: input.key_id,
      secretAccessKey: input.secret,
      sessionToken: input.session_token ?? undefined,
    },
    region: input.region,
    service: input.service,
    sha256: Sha256,
    uriEscapePath: input.service !== 's3',
  });
  const { host } = new URL(input.url);
  const request = new HttpRequest({ method, ...parseUrl(input.url + target), headers: { host, ...headers }, body });
  if (body) request.headers['content-length'] = String(body.length);

  const signingDate = input.date ? new Date(input.date) : undefined;
  const signed = presign
    ? await signer.presign(request, { signingDate, expiresIn: expires })
    : await signer.sign(request, { signingDate });
  const { protocol, hostname, port, path, query } = signed;
  const written = Object.keys(query ?? {}).length > 0 ? `${path}?${buildQueryString(query)}` : path;
  const options = { protocol, hostname, port, method, path: raw ? target : written, headers: signed.headers };
  return sendHttp(options, body);
});
