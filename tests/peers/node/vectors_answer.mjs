// Answers the cases of `countersign vectors run`: signs with ../wire/sign.mjs, and verifies nothing.
//
// Standard input: one case a line. Standard output: one answer a line.
import { createInterface } from 'node:readline';
import { sign } from '../wire/sign.mjs';

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}

function answer(each) {
  if (each.kind !== 'sign') return { skip: 'sign.mjs does not verify' };
  const further = each.content_type === null ? [] : [['content-type', each.content_type]];
  further.push(...each.extra_headers);
  const [key, body] = [Buffer.from(each.key_hex, 'hex'), Buffer.from(each.body_b64, 'base64')];
  const [text, headers] = sign(each.scheme, key, each.caller, each.method, each.host, each.target, body,
    each.x_date, each.nonce, further);
  const { authorization } = Object.fromEntries(headers);
  const signature = authorization.slice(authorization.lastIndexOf('=') + 1);
  return { canonical_request: text, authorization, signature };
}
