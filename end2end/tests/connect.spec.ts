import type { Page } from "@playwright/test";

import { arrived, connectPath, dashboardPath, expect, menu, settled, signIn, test, toast, visit, withScripts } from "../support/test.js";

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

async function openConnect(page: Page): Promise<void> {
  await visit(page, connectPath);
  await signIn(page);
  await arrived(page, connectPath);
}

test("a tenant is connected, tested, saved and synced", async ({ page, portal, watch }) => {
  const { domain, clientId, clientSecret } = portal.tenant;
  const wrongSecret = "wrong~secret.that-nobody-should-see";

  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await (await menu(page)).getByRole("link", { name: "Directory Services" }).click();
  await page.getByRole("heading", { name: "Directory Services", level: 1 }).waitFor();
  await page.getByRole("main").getByRole("link", { name: /Entra ID|Connect/ }).first().click();
  await arrived(page, connectPath);

  // The defaults.
  await expect(field(page, "Enable Azure Sync")).not.toBeChecked();
  await expect(field(page, "Sync Frequency")).toHaveValue("6h");
  await expect(field(page, "Sync Frequency").locator("option:checked")).toHaveText("6 hours");
  await expect(field(page, "Delete Users After").locator("option:checked")).toHaveText("7 days");
  await expect(field(page, "Include disabled/deactivated user accounts")).not.toBeChecked();
  await expect(field(page, "Custom Filters")).toHaveValue("");
  await expect(field(page, "Client secret expires on")).toHaveValue("");

  // A wrong secret: red, with the reason and what to do.
  await field(page, "Enable Azure Sync").check();
  await field(page, "Tenant Domain").fill(domain);
  await field(page, "Client ID").fill(clientId);
  await field(page, "Client Secret").fill(wrongSecret);
  await press(page, "Test");
  await expect(toast(page, "bad", "Azure Connection test failed")).toBeVisible();
  await expect(page.getByText("Verify Tenant Domain, Client ID and Client Secret").first()).toBeVisible();
  const refused = page.locator(".steps .step.bad").first();
  await expect(refused).toContainText("AADSTS7000215");
  await expect(refused).toContainText("What to do:");
  await expect(refused.locator(".remedy")).toContainText("Value");
  await expect(field(page, "Tenant Domain")).toHaveValue(domain);
  await expect(field(page, "Client ID")).toHaveValue(clientId);
  await expect(field(page, "Enable Azure Sync")).toBeChecked();

  // The right one: green, every step with its result.
  await settled(page);
  await field(page, "Client Secret").fill(clientSecret);
  await press(page, "Test");
  await expect(toast(page, "good", "Azure Connection test was passed")).toBeVisible();
  await expect(page.locator(".steps .step.bad")).toHaveCount(0);
  for (const permission of ["Directory.Read.All", "Group.Read.All", "GroupMember.Read.All", "User.Read.All"]) {
    await expect(page.locator(".steps")).toContainText(permission);
  }

  // Save. Without JavaScript the page came anew, and a secret never comes back with it.
  await settled(page);
  if (!withScripts()) await expect(field(page, "Client Secret")).toHaveValue("");
  await field(page, "Client Secret").fill(clientSecret);
  await press(page, "Save");
  await expect(toast(page, "good", "The settings were saved")).toBeVisible();

  await visit(page, connectPath);
  await expect(page.getByText("saved on")).toBeVisible();
  await expect(field(page, "Client Secret")).toHaveValue("");
  await expect(field(page, "Tenant Domain")).toHaveValue(domain);
  await expect(field(page, "Client ID")).toHaveValue(clientId);
  await expect(field(page, "Enable Azure Sync")).toBeChecked();

  // An empty secret means the saved one.
  await press(page, "Test");
  await expect(toast(page, "good", "Azure Connection test was passed")).toBeVisible();
  await settled(page);

  await press(page, "Sync Now");
  await expect(toast(page, "good", "Azure sync has successfully started")).toBeVisible();
  await settled(page);
  await page.locator(".toasts").getByRole("link", { name: "See the run" }).click();
  await expect(page.getByText("Succeeded").first()).toBeVisible({ timeout: 30_000 });

  await (await menu(page)).getByRole("link", { name: "Users" }).click();
  await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
  const rows = page.getByRole("table").getByRole("row").filter({ has: page.getByRole("rowheader") });
  await expect(rows).toHaveCount(50);
  for (const row of await rows.all()) await expect(row.locator("[data-label=Source]")).toHaveText("Azure");

  for (const secret of [clientSecret, wrongSecret]) {
    expect(await page.content()).not.toContain(secret);
    for (const [url, body] of await watch.bodies()) expect(body.includes(secret), `a secret in ${url}`).toBe(false);
  }
  expect(portal.log()).not.toContain(wrongSecret);
});

test("the users can be paged through to the last", async ({ page, portal }) => {
  await portal.connectAndSync();
  const exported = (await portal.command("users", "export", "default", "--json")).trim().split("\n");
  await visit(page, "/customers/default/users");
  await signIn(page);
  await arrived(page, "/customers/default/users");
  const addresses = new Set<string>();
  for (;;) {
    const titles = page.locator("td[data-label=Address] .address");
    await expect(titles.first()).toBeVisible();
    for (const address of await titles.evaluateAll((all) => all.map((one) => one.getAttribute("title") ?? ""))) {
      expect(addresses.has(address), `${address} is listed twice`).toBe(false);
      addresses.add(address);
    }
    const next = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Next" });
    if ((await next.count()) === 0) break;
    const target = await next.getAttribute("href");
    await next.click();
    await arrived(page, target ?? "");
    await expect(titles.first()).not.toHaveAttribute("title", [...addresses].at(-50) ?? "");
  }
  expect([...addresses].toSorted()).toEqual(exported.map((line) => JSON.parse(line).primary_address).toSorted());
});

test("wrong fields are refused at the field, nothing is saved, and what was typed is kept", async ({ page, portal }) => {
  await openConnect(page);
  await field(page, "Tenant Domain").fill("not a tenant");
  await field(page, "Client ID").fill("not-a-guid");
  await field(page, "Client Secret").fill(portal.tenant.clientSecret);
  await field(page, "Client secret expires on").fill("2031-02-03");
  await field(page, "Sync Frequency").selectOption("12 hours");
  await field(page, "Delete Users After").selectOption("30 days");
  await field(page, "Custom Filters").fill("department eq 'Sales'");
  await press(page, "Save");

  await expect(toast(page, "bad", "Nothing was saved")).toBeVisible();
  for (const [label, why] of [
    ["Tenant Domain", "neither a GUID nor a domain"],
    ["Client ID", "not a GUID"],
  ] as const) {
    await expect(field(page, label)).toHaveAttribute("aria-invalid", "true");
    await expect(field(page, label)).toHaveAccessibleDescription(new RegExp(why));
  }
  await expect(field(page, "Tenant Domain")).toHaveValue("not a tenant");
  await expect(field(page, "Client ID")).toHaveValue("not-a-guid");
  await expect(field(page, "Client secret expires on")).toHaveValue("2031-02-03");
  await expect(field(page, "Sync Frequency")).toHaveValue("12h");
  await expect(field(page, "Delete Users After")).toHaveValue("30d");
  await expect(field(page, "Custom Filters")).toHaveValue("department eq 'Sales'");

  await visit(page, connectPath);
  await expect(field(page, "Tenant Domain")).toHaveValue("");
  await expect(field(page, "Sync Frequency")).toHaveValue("6h");
  await expect(page.getByText("saved on")).toHaveCount(0);
});

test("a message is shown once", async ({ page }) => {
  await openConnect(page);
  await press(page, "Test");
  await expect(toast(page, "bad", "Azure Connection test failed")).toBeVisible();
  await visit(page, connectPath);
  await expect(page.locator(".toasts .toast")).toHaveCount(0);
});

test("Sync Now without a saved, enabled configuration says so", async ({ page }) => {
  await openConnect(page);
  await press(page, "Sync Now");
  await expect(page.locator(".toasts .toast.bad")).toBeVisible();
  await expect(page.getByText("Azure sync has successfully started")).toHaveCount(0);
});

test("another tenant demands the secret again", async ({ page, portal }) => {
  await portal.connectAndSync();
  await openConnect(page);
  await field(page, "Tenant Domain").fill("fabrikam.onmicrosoft.com");
  await press(page, "Test");
  await expect(toast(page, "bad", "Azure Connection test failed")).toBeVisible();
  await expect(field(page, "Client Secret")).toHaveAttribute("aria-invalid", "true");
});
