// A real OpenID Connect provider, with the people and groups of a test. It prints its address when it listens.
// usage: node server.js CLIENT_ID CLIENT_SECRET CALLBACK   (CALLBACK: the service's /v1/oidc/NAME/callback)
// Whoever logs in as "ann" is in the groups planners and staff, as "bob" in none; any password will do.
import { createServer } from "node:http";
import { once } from "node:events";
import Provider from "oidc-provider";

const [clientId, clientSecret, callback] = process.argv.slice(2);
const groups = { ann: ["planners", "staff"], bob: [] };

// The port must be known before the provider is made: its address is part of what it signs.
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [callback] }],
  claims: { openid: ["sub"], email: ["email"], profile: ["name", "groups"] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@Depot.example`, name: `${id} of the depot`, groups: groups[id] ?? [] }),
  }),
});
server.on("request", provider.callback());
console.log(issuer);
// The test holds our standard input: when it ends, so do we.
process.stdin.on("end", () => process.exit(0)).resume();
