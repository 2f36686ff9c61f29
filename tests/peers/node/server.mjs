// The article's Express 5 app. Run it with SERVICE_SECRETS set; it listens on a free port of 127.0.0.1, prints
// {"port":N} on one line when it is ready, and ends when its standard input closes.
//
//   SERVICE_SECRETS            JSON, caller to hex key
//   ROTATING_SERVICE_SECRETS   the same, for rotation (see loadSecrets)
//   FIXED_ROTATION             1: a caller's primary and rotating keys both verify
//   COUNTERSIGN_NODE_MODULES   the node_modules folder that holds express, if it is not found from here
//
//   GET /api/account           {"service": caller}
//   any method, /api/echo…     {"caller", "len", "sha256", "url"}
//
// As in the article: the body is captured by express.raw, that is after gzip, deflate or brotli are undone, and only
// for a request that has a content-type; a body without one counts as empty. DIFFERENCE: the body limit is 20 MB, not
// 100 KB.
import { createRequire } from 'node:module';
import path from 'node:path';
import { sha256Hex } from './sign.mjs';
import { loadSecrets, verifySignature } from './verify.mjs';

const express = resolveExpress();
const app = express();
app.use(
  express.raw({
    type: '*/*',
    limit: '20mb',
    verify: (req, _res, bytes) => {
      req.rawBody = bytes;
    },
  }),
);
app.use(verifySignature({ secrets: loadSecrets(process.env) }));
// Does nothing, as in the article: the body has been read by now.
app.use(express.json());

app.get('/api/account', (req, res) => {
  res.json({ service: req.verifiedCaller });
});
app.all(/^\/api\/echo/, (req, res) => {
  const body = req.rawBody ?? Buffer.alloc(0);
  res.json({ caller: req.verifiedCaller, len: body.length, sha256: sha256Hex(body), url: req.originalUrl });
});

const server = app.listen(0, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(JSON.stringify({ port: server.address().port }));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

function resolveExpress() {
  const folder = process.env.COUNTERSIGN_NODE_MODULES;
  if (folder) {
    try {
      // The file need not exist: modules are looked for from where it would be.
      return createRequire(path.resolve(folder, 'from.cjs'))('express');
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return createRequire(import.meta.url)('express');
}
