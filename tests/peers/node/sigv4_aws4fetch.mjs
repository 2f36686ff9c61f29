// SigV4 with the npm package aws4fetch 1.0 and its client's fetch. A client, see peer.mjs.
//
//   "key_id", "secret", "region", "service", "session_token"
//   "date"          ISO, or null for now
//   per request     "presign": true signs the query instead, for "expires" seconds (60 if absent)
//
// DIFFERENCE: no retries; the library would repeat a request that is answered with 429 or 5xx ten times.
import { amzDate, fetched, load, runClient } from './peer.mjs';

const { AwsClient } = load('aws4fetch');

await runClient(async ({ method, target, headers, body, presign, expires = 60 }, input) => {
  const client = new AwsClient({
    accessKeyId: input.key_id,
    secretAccessKey: input.secret,
    sessionToken: input.session_token ?? undefined,
    region: input.region,
    service: input.service,
    retries: 0,
  });
  const aws = input.date ? { datetime: amzDate(input.date) } : {};
  const url = new URL(input.url + target);
  if (presign) {
    aws.signQuery = true;
    url.searchParams.set('X-Amz-Expires', expires);
  }
  return fetched(await client.fetch(url, { method, headers, body, aws }));
});
