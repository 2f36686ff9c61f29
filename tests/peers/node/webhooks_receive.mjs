// Standard Webhooks with the npm package standardwebhooks 1.1. A verifier, see peer.mjs.
//
//   "secret"        whsec_ and base64
//   "parse"         true: parse the payload as JSON after its signature, as the library does if not told otherwise
//
// The library allows 300 seconds on either side. It reads the number a timestamp starts with, and a body as UTF-8 with
// U+FFFD for what is not.
import { load, serve } from './peer.mjs';

const { Webhook } = load('standardwebhooks');
const config = JSON.parse(process.argv[2] ?? '{}');
const webhook = new Webhook(config.secret);

serve((request, body) => {
  webhook.verify(body, request.headers, { jsonParse: config.parse === true });
  return { id: request.headers['webhook-id'] };
});
