import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, signIn, test, toast, visit, withScripts } from "../support/test.js";

const entra = "/customers/default/service-settings/directory-services/entra-id";

interface Exported {
  external_id: string;
  primary_address: string;
  display_name: string;
}

/** Signs in at a page of Entra ID, after the first sync. */
async function open(page: Page, tab: string): Promise<void> {
  await visit(page, `${entra}/${tab}`);
  await signIn(page);
  await page.waitForURL((url) => url.pathname === `${entra}/${tab}`);
  await page.getByRole("navigation", { name: "Entra ID" }).waitFor();
}

/** What axe finds in the page as it stands. It needs JavaScript in the page; without, the markup is the same. */
async function accessible(page: Page): Promise<void> {
  if (!withScripts()) return;
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join("\n")}`)).toEqual([]);
}

test.beforeEach(async ({ portal }) => {
  await portal.connectAndSync();
});

/** The portal's users, as the command line exports them. */
async function users(portal: { command(...args: string[]): Promise<string> }): Promise<Exported[]> {
  const lines = (await portal.command("users", "export", "default", "--json")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Exported);
}

test("an arrow moves a user across, Save asks what becomes of it, and the next sync lets it go", async ({ page, portal }) => {
  const [first] = await users(portal);
  const address = first?.primary_address ?? "";
  await open(page, "exceptions");
  await accessible(page);
  const list = page.getByRole("region", { name: "User List" });
  await list.getByLabel("Name or address").fill(address);
  await list.getByLabel("Kind").selectOption("user");
  await list.getByRole("button", { name: "Search" }).click();
  await expect(list.getByRole("row").filter({ hasText: address })).toHaveCount(1);
  await list.getByRole("button", { name: /^Leave out/ }).click();
  await expect(page.getByText("1 to be left out. Not saved yet.")).toBeVisible();
  const question = page.getByRole("group", { name: "These users are in the portal. What becomes of them?" });
  await expect(question).toContainText(address);
  await expect(question.getByLabel(/^Keep them/)).toBeChecked();
  await question.getByLabel(/^Let them go/).check();
  await page.getByLabel("Reason", { exact: true }).fill("left the company");
  await accessible(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(toast(page, "good", "1 user becomes a conflict with the next sync")).toBeVisible();
  await expect(page.getByRole("region", { name: "Exception List" })).toContainText("left the company");

  await portal.command("sync", "default");
  await visit(page, `${entra}/user-conflicts`);
  await expect(page.getByRole("row").filter({ hasText: address })).toContainText("exception");
});

test("a user in conflict is ignored with a reason, and deleted and restored", async ({ page, portal }) => {
  const [one, two] = await users(portal);
  const [first, second] = [one?.primary_address ?? "", two?.primary_address ?? ""];
  await portal.command("exceptions", "add", "default", "user", first, second, "--let-go");
  await portal.command("sync", "default");
  await open(page, "user-conflicts");
  await expect(page.getByText("2 users in conflict").first()).toBeVisible();
  await accessible(page);

  await page.getByRole("row").filter({ hasText: first }).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Ignore", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Ignore 1 user?" })).toBeVisible();
  await expect(page.getByRole("main")).not.toContainText(second);
  await page.getByLabel("Reason", { exact: true }).fill("on parental leave");
  await accessible(page);
  await page.getByRole("button", { name: "Ignore 1 user" }).click();
  await expect(toast(page, "good", "1 user was ignored.")).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: first })).toContainText("on parental leave");

  await page.getByLabel("State").selectOption("pending");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("link", { name: "Select all 1 that match" }).click();
  await expect(page.getByText(/^All 1 user .* selected/)).toBeVisible();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Delete 1 user?" })).toBeVisible();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "Select page" }).click();
  await expect(page.getByRole("link", { name: "Clear selection" })).toBeVisible();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete 1 user" }).click();
  await expect(toast(page, "good", "1 user was deleted.")).toBeVisible();
  await expect(page.getByText("No user in conflict matches.")).toBeVisible();

  await visit(page, "/customers/default/recycle-bin");
  await accessible(page);
  await page.getByRole("row").filter({ hasText: second }).getByRole("button", { name: /^Restore/ }).click();
  await expect(toast(page, "good", "was restored")).toBeVisible();
  await expect(page.getByText("The recycle bin is empty")).toBeVisible();
});

test("the selected users are exported as CSV", async ({ page, portal }) => {
  const [one] = await users(portal);
  await portal.command("exceptions", "add", "default", "user", one?.primary_address ?? "", "--let-go");
  await portal.command("sync", "default");
  await open(page, "user-conflicts");
  await page.getByRole("link", { name: "Select page" }).click();
  await expect(page.getByRole("link", { name: "Clear selection" })).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  expect((await download).suggestedFilename()).toBe("user-conflicts-default.csv");
});

test("pasted addresses are added or refused one by one", async ({ page }) => {
  await open(page, "additions");
  await accessible(page);
  await page.getByLabel("Email address").fill("someone.new@contoso.com\nx@elsewhere.example\nnothing");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(toast(page, "warning", "1 address added, 2 refused.")).toBeVisible();
  await expect(page.getByText("elsewhere.example is not a managed domain of this customer.")).toBeVisible();
  await expect(page.getByLabel("Email address")).toHaveValue("x@elsewhere.example\nnothing");
  await accessible(page);
  await page.getByRole("button", { name: "Remove someone.new@contoso.com" }).click();
  await expect(page.getByText("There are no additions")).toBeVisible();
});

test("held removals say so when there are none", async ({ page }) => {
  await open(page, "held-removals");
  await expect(page.getByText("Nothing is held")).toBeVisible();
  await accessible(page);
});
