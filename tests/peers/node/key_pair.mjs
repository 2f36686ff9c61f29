// Makes a fresh pair of keys, without packages. A client that sends nothing, see peer.mjs: the body of each answer is
// {"private", "public"}, both PEM.
//
//   per request     "kind": rsa (of 2048 bits) or ed25519
import { generateKeyPairSync } from 'node:crypto';
import { runClient } from './peer.mjs';

await runClient(({ kind }) => {
  const { privateKey, publicKey } = generateKeyPairSync(kind, { modulusLength: 2048 });
  const pair = {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    public: publicKey.export({ type: 'spki', format: 'pem' }),
  };
  return { status: 200, body: JSON.stringify(pair) };
});
