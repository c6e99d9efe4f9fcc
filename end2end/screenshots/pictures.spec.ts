import { execFileSync } from "node:child_process";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import { administrator, Portal } from "../support/portal.js";

const pictures = resolve(import.meta.dirname, "../../docs/pictures");
const entra = "/customers/default/service-settings/directory-services/entra-id";
const pages = {
  dashboard: "/customers/default/dashboard",
  users: "/customers/default/users?q=alice",
  conflicts: `${entra}/user-conflicts`,
  connect: `${entra}/connect`,
};
/** All pictures together: who clones the project carries them. */
const mostBytes = 1_000_000;
const days = 30;

interface Exported {
  external_id: string;
  display_name: string;
  primary_address: string;
}

/** The simulated tenant of `make run` with a month of joiners, leavers and changes, a sync a day. */
async function aMonth(portal: Portal): Promise<void> {
  await portal.connectAndSync();
  dated(portal, days + 3);
  const lines = (await portal.command("users", "export", "default", "--json")).trim().split("\n");
  const people = lines.map((line) => JSON.parse(line) as Exported);
  const domain = people[0]?.primary_address.split("@")[1] ?? "";
  let next = 0;
  for (let ago = days - 1; ago >= 0; ago--) {
    const of = (number: number) => people.slice(next, (next += number));
    const moved = of(2 + ((ago * 7) % 9)).map((person) => ({
      set: { object: person.external_id, properties: { jobTitle: "Team lead", displayName: person.display_name.replace(" ", " M. ") } },
    }));
    const joined = Array.from({ length: (ago * 5) % 4 }, (_, at) => ({
      add_user: {
        userPrincipalName: `joiner.${ago}.${at}@${domain}`,
        mail: `joiner.${ago}.${at}@${domain}`,
        displayName: ["Noor Haddad", "Mateo Rossi", "Ines Duarte"][at],
        accountEnabled: true,
      },
    }));
    // Who left longer ago than Delete Users After would be gone by now.
    const left = ago < 6 ? of([2, 0, 3, 1, 0, 4][ago] ?? 0).map((person) => ({ delete: { object: person.external_id } })) : [];
    await portal.control("/changes", [...moved, ...joined, ...left]);
    if (ago === 12) {
      await portal.control("/graph-error", { route: "*", status: 403, code: "Authorization_RequestDenied", times: 1_000 });
      await portal.command("sync", "default").catch(() => undefined);
      dated(portal, ago);
      await portal.control("/graph-error", undefined, "DELETE");
    }
    await portal.command("sync", "default");
    dated(portal, ago);
  }
  const conflicts = (await portal.command("conflicts", "list", "default", "--json")).trim().split("\n");
  const addresses = conflicts.map((line) => (JSON.parse(line) as Exported).primary_address);
  await portal.command("conflicts", "ignore", "default", addresses[1] ?? "");
  await portal.command("conflicts", "deactivate", "default", addresses[4] ?? "");
}

/** What the last sync did, it did so many days ago. The portal has no switch for its clock, so the rows are moved. */
function dated(portal: Portal, daysAgo: number): void {
  const by = daysAgo * 86_400_000;
  const fresh = Date.now() - 3_600_000;
  const times: [table: string, column: string][] = [
    ["runs", "started_at"],
    ["runs", "read_at"],
    ["runs", "finished_at"],
    ["users", "changed_at"],
    ["conflicts", "missing_since"],
    ["conflicts", "clock_from"],
  ];
  const moves = times.map(([table, time]) => `UPDATE ${table} SET ${time} = ${time} - ${by} WHERE ${time} > ${fresh};`);
  execFileSync("sqlite3", ["-cmd", ".timeout 10000", join(portal.dataDir, "rollcall.db"), moves.join("\n")]);
}

/** WebP is half of PNG for such pages; Playwright itself knows only PNG and JPEG. */
async function picture(page: Page, name: string): Promise<number> {
  const chromium = await page.context().newCDPSession(page);
  const { data } = await chromium.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  const file = join(pictures, `${name}.webp`);
  await writeFile(file, Buffer.from(data, "base64"));
  return (await stat(file)).size;
}

test("the pictures of the README", async ({ browser }) => {
  await mkdir(pictures, { recursive: true });
  const portal = await Portal.start({ users: 1_800, seed: 1 });
  try {
    await aMonth(portal);
    let bytes = 0;
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ baseURL: portal.url, colorScheme, viewport: { width: 1440, height: 900 } });
      await page.goto("/login");
      await page.getByLabel("Email", { exact: true }).fill(administrator.email);
      await page.getByLabel("Password", { exact: true }).fill(administrator.password);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.waitForURL((url) => url.pathname === pages.dashboard);
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(path);
        // Until the page has come to life and stands still.
        await page.waitForTimeout(700);
        bytes += await picture(page, `${name}-${colorScheme}`);
      }
      await page.close();
    }
    expect(bytes).toBeLessThan(mostBytes);
  } finally {
    await portal.stop();
  }
});
