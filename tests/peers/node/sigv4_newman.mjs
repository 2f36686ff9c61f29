// SigV4 as Postman makes it: newman 6 runs a collection of one request whose auth is awsv4. A client, see peer.mjs.
//
//   "key_id", "secret", "region", "service", "session_token"
//   "date"          ISO, or null for now; given as the header Date, which is signed and from which X-Amz-Date is taken
//   per request     "presign": true adds the authorization to the query, for "expires" seconds (60 if absent)
//                   "as": "text" gives the body as raw text, "bytes" as a file; "text" if absent and the body is UTF-8
//
// Postman expands {{…}} in every field, and a path segment that starts with a colon is a variable of it.
import { isUtf8 } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { load, runClient } from './peer.mjs';

const newman = load('newman');
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-newman-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

await runClient(async ({ method, target, headers, body, as, presign, expires = 60 }, input) => {
  const query = presign ? `${target.includes('?') ? '&' : '?'}X-Amz-Expires=${expires}` : '';
  const header = Object.entries(headers).map(([key, value]) => ({ key, value }));
  if (input.date) header.push({ key: 'Date', value: new Date(input.date).toUTCString() });
  const auth = {
    accessKey: input.key_id,
    secretKey: input.secret,
    sessionToken: input.session_token ?? '',
    region: input.region,
    service: input.service,
    addAuthDataToQuery: presign === true,
  };
  const awsv4 = Object.entries(auth).map(([key, value]) => ({ key, value }));
  const request = { method, url: input.url + target + query, header, auth: { type: 'awsv4', awsv4 } };
  if (body) request.body = bodyFor(body, as);
  return run({ info: { name: 'countersign' }, item: [{ name: 'request', request }] });
});

function run(collection) {
  return new Promise((resolve, reject) => {
    newman.run({ collection, reporters: [], workingDir: folder }, (error, summary) => {
      const [execution] = summary?.run.executions ?? [];
      if (error || execution?.requestError) return reject(error ?? execution.requestError);
      if (!execution?.response) return reject(new Error('newman made no request'));
      resolve({ status: execution.response.code, body: execution.response.text() });
    });
  });
}

function bodyFor(body, as) {
  if ((as ?? (isUtf8(body) ? 'text' : 'bytes')) === 'text') return { mode: 'raw', raw: String(body) };
  const file = path.join(folder, 'body');
  writeFileSync(file, body);
  return { mode: 'file', file: { src: file } };
}
