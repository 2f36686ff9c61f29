// SigV4 with the npm package aws4 1.13 and http.request, as its README shows it. A client, see peer.mjs.
//
//   "key_id", "secret", "region", "service", "session_token"
//   "date"          ISO, or null for now; given as the header X-Amz-Date, which the library then takes
//   per request     "presign": true signs the query instead, for "expires" seconds (60 if absent)
//
// The library writes the target anew and adds a Content-Type to a body that has none; both are signed as sent.
import { amzDate, load, runClient, sendHttp } from './peer.mjs';

const aws4 = load('aws4');

await runClient(async ({ method, target, headers, body, presign, expires = 60 }, input) => {
  const { hostname, port } = new URL(input.url);
  const options = { hostname, port, path: target, method, headers, body };
  Object.assign(options, { region: input.region, service: input.service });
  if (presign) {
    options.signQuery = true;
    options.path += `${target.includes('?') ? '&' : '?'}X-Amz-Expires=${expires}`;
    if (input.date) options.path += `&X-Amz-Date=${amzDate(input.date)}`;
  } else if (input.date) {
    headers['X-Amz-Date'] = amzDate(input.date);
  }
  const signed = aws4.sign(options, {
    accessKeyId: input.key_id,
    secretAccessKey: input.secret,
    sessionToken: input.session_token ?? undefined,
  });
  return sendHttp(signed, body);
});
