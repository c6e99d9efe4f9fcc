import { arrived, dashboardPath, expect, menu, settled, signIn, test, toast, visit } from "../support/test.js";

const customer = "/customers/default";

test("a run shows what it changed, narrowed to a kind, and is exported", async ({ page, portal }) => {
  await portal.connectAndSync();
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await (await menu(page)).getByRole("link", { name: "Sync History" }).click();
  await arrived(page, `${customer}/sync-history`);
  await page.getByRole("row").filter({ hasText: "Succeeded" }).getByRole("link").click();
  await expect(page.getByRole("heading", { name: "Sync", exact: true })).toBeVisible();
  const changes = page.getByRole("region", { name: "Changes" });
  await expect(changes.getByText("Added", { exact: true }).first()).toBeVisible();

  await page.getByRole("navigation", { name: "Changes by kind" }).getByRole("link", { name: /^Added/ }).click();
  await expect(page).toHaveURL(/action=added/);
  await page.getByRole("link", { name: "Next" }).first().click();
  await expect(page).toHaveURL(/action=added&after=\d+/);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export CSV" }).click();
  expect((await download).suggestedFilename()).toMatch(/^changes-.*\.csv$/);

  await page.getByRole("navigation", { name: "Notices by kind" }).getByRole("link", { name: /^Address clash/ }).click();
  await expect(page.getByRole("region", { name: "Notices" })).toContainText("belongs to");
});

test("a preview says what a sync would do, and does not do it", async ({ page, portal }) => {
  await portal.connectAndSync();
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await visit(page, `${customer}/sync-history`);
  await page.getByRole("button", { name: "Preview a sync" }).click();
  await expect(page.getByRole("heading", { name: "Preview" })).toBeVisible();
  await expect(page.getByText("Nothing was changed; a sync would do this:")).toBeVisible({ timeout: 20_000 });
});

test("an administrator is invited by a link that is shown once, and deactivated", async ({ page, browser, portal }) => {
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await (await menu(page)).getByRole("link", { name: "Administrators" }).click();
  await arrived(page, `${customer}/administrators`);
  await page.getByLabel("Email", { exact: true }).fill("eve@example.org");
  await page.getByLabel("Name", { exact: true }).fill("Eve Example");
  await page.getByLabel("Role", { exact: true }).selectOption("operator");
  await page.getByRole("button", { name: "Invite" }).click();
  await expect(toast(page, "good", "is invited")).toBeVisible();
  const link = await page.getByRole("textbox", { name: "One-time link" }).inputValue();
  await page.reload();
  await settled(page);
  await expect(page.getByRole("textbox", { name: "One-time link" })).toHaveCount(0);

  const invited = await browser.newContext({ baseURL: portal.url });
  const other = await invited.newPage();
  await other.goto(link);
  await other.getByLabel("Password", { exact: true }).fill("a horse of her own");
  await other.getByRole("button", { name: "Save and sign in" }).click();
  await other.waitForURL(/dashboard$/);

  const row = page.getByRole("row").filter({ hasText: "Eve Example" });
  await row.getByRole("button", { name: /^Deactivate/ }).click();
  await expect(toast(page, "good", "was deactivated")).toBeVisible();
  await other.reload();
  await other.waitForURL(/\/login/);
  await invited.close();

  await (await menu(page)).getByRole("link", { name: "Audit Log" }).click();
  await arrived(page, `${customer}/audit-log`);
  await page.getByLabel("Contains").fill("EVE@");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(/text=EVE/);
  await expect(page.getByRole("cell", { name: "Administrator: deactivate" })).toBeVisible();
});

test("a customer is added and deleted after its short name was typed", async ({ page }) => {
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await visit(page, "/customers");
  await page.getByLabel("Name", { exact: true }).fill("Fabrikam Inc");
  await page.getByLabel("Short name").fill("fabrikam");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(toast(page, "good", "Fabrikam Inc was added.")).toBeVisible();
  await page.getByRole("link", { name: "Settings of Fabrikam Inc" }).click();
  await arrived(page, "/customers/fabrikam/settings");
  await page.getByLabel("Type fabrikam to confirm").fill("default");
  await page.getByRole("button", { name: "Delete this customer" }).click();
  await expect(toast(page, "bad", "Nothing was deleted.")).toBeVisible();
  await page.getByLabel("Type fabrikam to confirm").fill("fabrikam");
  await page.getByRole("button", { name: "Delete this customer" }).click();
  await arrived(page, "/customers");
  await expect(page.getByRole("link", { name: "Fabrikam Inc" })).toHaveCount(0);
});
