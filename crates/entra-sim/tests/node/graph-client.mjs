// Reads the simulator with @microsoft/microsoft-graph-client, changes it through the control API and reads what
// changed. Says on each line what it saw; tests/it/graph_client.rs knows what that should be.

import { ConfidentialClientApplication } from "@azure/msal-node";
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";

const { SIM_URL, SIM_CONTROL_URL, SIM_TENANT, SIM_CLIENT_ID, SIM_CLIENT_SECRET } = process.env;

const application = new ConfidentialClientApplication({
  auth: {
    clientId: SIM_CLIENT_ID,
    authority: `${SIM_URL}/${SIM_TENANT}`,
    knownAuthorities: [new URL(SIM_URL).host],
    clientSecret: SIM_CLIENT_SECRET,
  },
});
const graph = Client.initWithMiddleware({
  baseUrl: `${SIM_URL}/`,
  customHosts: new Set(["localhost"]),
  authProvider: {
    getAccessToken: async () =>
      (await application.acquireTokenByClientCredential({ scopes: ["https://graph.microsoft.com/.default"] })).accessToken,
  },
});

async function control(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(SIM_CONTROL_URL + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

// With the library's own iterator: every object, and the link that a delta round ends with.
async function all(path) {
  const objects = [];
  const iterator = new PageIterator(graph, await graph.api(path).get(), (object) => objects.push(object) > 0);
  await iterator.iterate();
  return { objects, deltaLink: iterator.getDeltaLink() };
}

async function pages(path) {
  const objects = [];
  let count = 0;
  for (let next = path; next; count++) {
    const page = await graph.api(next).get();
    objects.push(...page.value);
    next = page["@odata.nextLink"];
  }
  return { objects, count };
}

const users = await pages("/users?$select=id,displayName");
console.log(`${users.objects.length} users on ${users.count} pages`);
const groups = await pages("/groups?$select=id,displayName");
console.log(`${groups.objects.length} groups on ${groups.count} page`);

const known = new Set(users.objects.map((user) => user.id));
const firstUsers = await all("/users/delta?$select=displayName,accountEnabled");
const allKnown = firstUsers.objects.every((user) => known.has(user.id));
console.log(`users/delta: ${firstUsers.objects.length} users, ${allKnown ? "all known" : "some unknown"}`);

const firstGroups = await all("/groups/delta?$select=displayName,members");
const parts = new Map();
const members = new Map();
for (const group of firstGroups.objects) {
  parts.set(group.id, (parts.get(group.id) ?? 0) + 1);
  const ids = members.get(group.id) ?? new Set();
  for (const member of group["members@delta"] ?? []) ids.add(member.id);
  members.set(group.id, ids);
}
let asListed = true;
for (const [id, ids] of members) {
  const listed = await all(`/groups/${id}/members?$select=id&$top=150`);
  asListed &&= listed.objects.length === ids.size && listed.objects.every((member) => ids.has(member.id));
}
const several = Math.max(...parts.values()) > 1 ? "in several parts" : "in one part";
console.log(`groups/delta: ${parts.size} groups, the largest ${several}, members ${asListed ? "as listed" : "otherwise"}`);

const [renamed, disposable, gone, joining] = users.objects.map((user) => user.id);
const headquarters = groups.objects.find((group) => group.displayName === "Headquarters").id;
const leaving = [...members.get(headquarters)].find((id) => known.has(id) && ![disposable, gone, joining].includes(id));
await control("/changes", [
  { rename: { object: renamed, display_name: "Renamed by the test" } },
  { add_user: { userPrincipalName: "added@contoso.com" } },
  { delete: { object: disposable } },
  { delete: { object: gone, for_good: true } },
  { remove_members: { group: headquarters, members: [joining] } },
]);
const before = await all(firstGroups.deltaLink);
await control("/changes", [
  { add_members: { group: headquarters, members: [joining] } },
  { remove_members: { group: headquarters, members: [leaving] } },
]);

const secondUsers = await all(firstUsers.deltaLink);
const seen = secondUsers.objects.map((user) => {
  if (user["@removed"]) return `removed (${user["@removed"].reason})`;
  if (!known.has(user.id)) return "added";
  return user.displayName === "Renamed by the test" ? "renamed" : "unexpected";
});
console.log(`users/delta after the changes: ${seen.join(", ")}`);
const secondGroups = await all(before.deltaLink);
const moves = secondGroups.objects.flatMap((group) => group["members@delta"] ?? []);
const joined = moves.filter((member) => !member["@removed"]).map((member) => member.id);
const left = moves.filter((member) => member["@removed"]).map((member) => member.id);
const right = joined.join() === joining && left.join() === leaving;
console.log(`groups/delta after the changes: ${right ? "one joined, one left" : JSON.stringify(moves)}`);

const batch = await graph.api("/$batch").post({
  requests: [
    { id: "1", method: "GET", url: `/users/${renamed}` },
    { id: "2", method: "GET", url: `/users/${disposable}` },
  ],
});
const statuses = batch.responses.sort((one, other) => one.id.localeCompare(other.id)).map((one) => one.status);
console.log(`batch: ${statuses.join(", ")}`);

// The library's own retry waits as it is told.
await control("/graph-error", { route: "/users/$count", status: 429, code: "TooManyRequests", retry_after: 1, times: 1 });
const started = Date.now();
const count = await graph.api("/users/$count").header("ConsistencyLevel", "eventual").get();
console.log(`${Date.now() - started >= 1000 ? "throttled once" : "not throttled"}, then ${count} users counted`);

try {
  await graph.api("/users/nobody@contoso.com").get();
} catch (error) {
  console.log(`unknown user: ${error.statusCode} ${error.code}`);
}
