// Ledger. It has no signing code: `proxy verify` is in front of it.
//
//     node ledger.mjs /run/ledger/ledger.sock
//
// Only the proxy can open the socket, so the header of the proxy needs no secret beside it.

import { createServer } from "node:http";

const path = process.argv[2];

const server = createServer((request, response) => {
  const answer = (status, value) => {
    const body = JSON.stringify(value);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body);
  };
  const caller = request.headers["countersign-caller"];
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    if (caller === undefined) return answer(401, { error: "no_caller" });
    if (request.method !== "POST") return answer(200, { caller });
    answer(201, { caller, entry: JSON.parse(body) });
  });
});

server.listen(path, () => console.log(path));
