// Gets a token from the simulator with @azure/msal-node and reads all users with it.
// Arguments: secret | certificate | wrong-secret | wrong-tenant. The rest comes by environment (tests/it/msal_node.rs).

import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";

const { SIM_URL, SIM_TENANT, SIM_CLIENT_ID, SIM_CLIENT_SECRET, SIM_KEY_FILE, SIM_THUMBPRINT_SHA256 } = process.env;
const how = process.argv[2];

const credential = {
  secret: { clientSecret: SIM_CLIENT_SECRET },
  certificate: {
    clientCertificate: {
      thumbprintSha256: SIM_THUMBPRINT_SHA256,
      privateKey: SIM_KEY_FILE && readFileSync(SIM_KEY_FILE, "utf8"),
    },
  },
  "wrong-secret": { clientSecret: "wrong" },
  "wrong-tenant": { clientSecret: SIM_CLIENT_SECRET },
}[how];

const tenant = how === "wrong-tenant" ? "nowhere.example" : SIM_TENANT;
const application = new ConfidentialClientApplication({
  auth: {
    clientId: SIM_CLIENT_ID,
    authority: `${SIM_URL}/${tenant}`,
    knownAuthorities: [new URL(SIM_URL).host],
    ...credential,
  },
});

let token;
try {
  const scopes = ["https://graph.microsoft.com/.default"];
  token = (await application.acquireTokenByClientCredential({ scopes })).accessToken;
} catch (error) {
  console.log(`refused: ${error.errorCode} ${error.errorNo ?? ""}`.trim());
  process.exit(0);
}

let users = 0;
let pages = 0;
for (let next = `${SIM_URL}/v1.0/users?$select=id`; next; pages++) {
  const answer = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${next}: ${answer.status} ${await answer.text()}`);
  const page = await answer.json();
  users += page.value.length;
  next = page["@odata.nextLink"];
}
console.log(`token by ${how}, ${users} users on ${pages} pages`);
