// SigV4 with the interceptor aws4-axios 3.4 on an axios 1 client, as its README shows it. A client, see peer.mjs.
//
//   "key_id", "secret", "region", "service", "session_token"
//   "date"          ISO, or null for now; given as the header X-Amz-Date, which the library then takes
//   per request     "as": "bytes" (if absent), "text" or "json": what the body is for axios, a Buffer, a string or a
//                   parsed value. axios writes text and values of a JSON type anew; what it wrote is signed and sent.
//                   "content_sha256": true turns the option addContentSha on
//                   "presign": true signs the query instead, for "expires" seconds (60 if absent)
import { amzDate, load, runClient } from './peer.mjs';

const axios = load('axios');
const { aws4Interceptor } = load('aws4-axios');

await runClient(async ({ method, target, headers, body, as, presign, expires = 60, ...request }, input) => {
  const client = axios.create();
  const interceptor = aws4Interceptor({
    instance: client,
    options: {
      region: input.region,
      service: input.service,
      signQuery: presign,
      addContentSha: request.content_sha256,
    },
    credentials: {
      accessKeyId: input.key_id,
      secretAccessKey: input.secret,
      sessionToken: input.session_token ?? undefined,
    },
  });
  client.interceptors.request.use(interceptor);

  const date = input.date ? { 'X-Amz-Date': amzDate(input.date) } : {};
  const response = await client.request({
    method,
    url: input.url + target,
    params: presign ? { 'X-Amz-Expires': expires, ...date } : undefined,
    headers: presign ? headers : { ...headers, ...date },
    data: bodyFor(body, as),
    responseType: 'text',
    transformResponse: (content) => content,
    validateStatus: () => true,
  });
  return { status: response.status, body: response.data };
});

function bodyFor(body, as) {
  if (as === 'json') return JSON.parse(body);
  return as === 'text' ? String(body) : body;
}
