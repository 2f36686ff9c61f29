// Signs every case of a sign file of ../../vectors with sign.mjs.
//
// Standard input: the file.
// Standard output: a JSON array of {"canonical_request", "headers"}, one for each case.
import { json } from 'node:stream/consumers';
import { sign } from './sign.mjs';

const { scheme, cases } = await json(process.stdin);
const answers = cases.map((each) => {
  const further = each.content_type === null ? [] : [['content-type', each.content_type]];
  further.push(...each.extra_headers);
  const [key, body] = [Buffer.from(each.key_hex, 'hex'), Buffer.from(each.body_b64, 'base64')];
  const [text, headers] = sign(scheme, key, each.caller, each.method, each.host, each.target, body,
    each.x_date, each.nonce, further);
  return { canonical_request: text, headers: Object.fromEntries(headers) };
});
process.stdout.write(JSON.stringify(answers));
