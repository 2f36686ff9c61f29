// Standard Webhooks with the npm package standardwebhooks 1.1 and fetch. A client, see peer.mjs.
//
//   "secret"        whsec_ and base64
//   per request     "method" (POST if absent), "id", "timestamp" (unix seconds; now if absent), and "tampered", a body
//                   (base64) to send instead of the one that is signed
//
// The library signs text: it takes a Buffer as UTF-8, so that a body of other bytes is sent as given and signed as
// something else.
import { fetched, load, runClient } from './peer.mjs';

const { Webhook } = load('standardwebhooks');

await runClient(async ({ method = 'POST', target, headers, body, id, timestamp, tampered }, input) => {
  const at = timestamp ?? Math.floor(Date.now() / 1000);
  const payload = body ?? Buffer.alloc(0);
  const response = await fetch(input.url + target, {
    method,
    headers: {
      ...headers,
      'webhook-id': id,
      'webhook-timestamp': String(at),
      'webhook-signature': new Webhook(input.secret).sign(id, new Date(at * 1000), payload),
    },
    body: tampered === undefined ? payload : Buffer.from(tampered, 'base64'),
  });
  return fetched(response);
});
