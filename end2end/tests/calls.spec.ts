import type { Page } from "@playwright/test";

import { arrived, connectPath, dashboardPath, expect, menu, settled, signIn, test, visit } from "../support/test.js";

const customer = "/customers/default";

/** The server functions that the page calls from now on, in order. */
function calls(page: Page): { take(): string[] } {
  let seen: string[] = [];
  page.on("request", (request) => {
    const name = /\/api\/(\w+)/.exec(new URL(request.url()).pathname)?.[1];
    if (name) seen.push(name);
  });
  return {
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
  };
}

/** Long enough for a page to ask for what it still wants. */
const quiet = (page: Page) => page.waitForTimeout(700);

test("a page that the server rendered calls for nothing that it has already when it comes to life @js", async ({ page, portal }) => {
  test.slow();
  await portal.connectAndSync();
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  const called = calls(page);
  for (const path of [
    dashboardPath,
    `${customer}/users`,
    `${customer}/users?q=an&sort=address`,
    `${customer}/users/new`,
    `${customer}/users/import`,
    `${customer}/users/take-over`,
    `${customer}/groups`,
    `${customer}/service-settings/directory-services`,
    connectPath,
    connectPath.replace("connect", "exceptions"),
    connectPath.replace("connect", "additions"),
    connectPath.replace("connect", "user-conflicts"),
    connectPath.replace("connect", "held-removals"),
    `${customer}/recycle-bin`,
    `${customer}/sync-history`,
    `${customer}/audit-log`,
    `${customer}/administrators`,
    `${customer}/settings`,
    "/customers",
    "/account",
  ]) {
    await visit(page, path);
    await quiet(page);
    // Counting a filter's people in a large directory takes time: the page does not wait for the figures.
    expect(called.take(), path).toEqual(path === connectPath ? ["filter"] : []);
  }
});

test("following a link calls the new page's server function once, and nothing else @js", async ({ page, portal }) => {
  await portal.connectAndSync();
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await quiet(page);
  const called = calls(page);
  for (const [name, path, functions] of [
    ["Users", `${customer}/users`, ["users"]],
    ["Groups", `${customer}/groups`, ["groups"]],
    ["Directory Services", `${customer}/service-settings/directory-services`, ["directory_services"]],
    ["Sync History", `${customer}/sync-history`, ["runs"]],
    ["Audit Log", `${customer}/audit-log`, ["audit_log"]],
    ["Administrators", `${customer}/administrators`, ["administrators"]],
    ["Dashboard", dashboardPath, ["dashboard"]],
  ] as const) {
    await (await menu(page)).getByRole("link", { name: new RegExp(`^${name}`) }).click();
    await arrived(page, path);
    await quiet(page);
    expect(called.take(), name).toEqual(functions);
  }

  // From a list to what is in it, to the next page, and back.
  await (await menu(page)).getByRole("link", { name: /^Users/ }).click();
  await arrived(page, `${customer}/users`);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Next" }).click();
  await page.waitForURL(/after=/);
  await quiet(page);
  expect(called.take(), "the list and its next page").toEqual(["users", "users"]);
  await page.getByRole("table").getByRole("row").nth(1).getByRole("link").first().click();
  await page.getByRole("heading", { name: "Why this user is here" }).waitFor();
  await quiet(page);
  expect(called.take(), "a user").toEqual(["user"]);
  await page.goBack();
  await page.waitForURL(/after=/);
  await settled(page);
  await quiet(page);
  expect(called.take(), "back").toEqual(["users"]);
});
