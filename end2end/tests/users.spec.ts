import { arrived, dashboardPath, expect, menu, settled, signIn, test, toast, visit, withScripts } from "../support/test.js";

const users = "/customers/default/users";

test("a person is found, opened, deactivated and activated again", async ({ page, portal }) => {
  await portal.connectAndSync();
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await (await menu(page)).getByRole("link", { name: /^Users/ }).click();
  await arrived(page, users);
  const person = page.getByRole("table").getByRole("link").nth(12);
  const name = (await person.innerText()).trim();
  await page.getByRole("searchbox").fill(name);
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.waitForURL(/[?&]q=/);
  await settled(page);
  await page.getByRole("table").getByRole("link", { name, exact: true }).first().click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Why this user is here" })).toBeVisible();
  await settled(page);
  await page.getByRole("button", { name: "Deactivate", exact: true }).click();
  await expect(toast(page, "good", "No sync switches it on again")).toBeVisible();
  await settled(page);
  await page.getByRole("button", { name: "Activate", exact: true }).click();
  await expect(toast(page, "good", "active again")).toBeVisible();
});

test("a Manual user is added, edited and deleted, and a wrong address is named at its field", async ({ page }) => {
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await visit(page, `${users}/new`);
  await page.getByLabel("Name", { exact: true }).fill("Fax");
  await page.getByLabel("Primary address", { exact: true }).fill("nonsense");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Enter a mail address")).toBeVisible();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Fax");
  await settled(page);
  await page.getByLabel("Primary address", { exact: true }).fill("fax@example.org");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(toast(page, "good", "The user was saved.")).toBeVisible();
  await settled(page);
  await page.getByRole("link", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Delete this user?" })).toBeVisible();
  await settled(page);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(toast(page, "good", "Fax was deleted.")).toBeVisible();
});

test("a sync on the command line shows on an open page by itself, without JavaScript at its next load", async ({ page, portal }) => {
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await visit(page, users);
  await expect(page.getByText("There are no users yet")).toBeVisible();
  await portal.connectAndSync();
  if (!withScripts()) await page.reload();
  await expect(page.getByRole("table").getByRole("link").first()).toBeVisible({ timeout: 15_000 });
});
