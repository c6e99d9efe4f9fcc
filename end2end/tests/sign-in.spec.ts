import { administrator, arrived, connectPath, dashboardPath, expect, menu, signIn, test, visit, withScripts } from "../support/test.js";

test("a wrong password is refused, and the email stays", async ({ page }) => {
  await visit(page, "/login");
  await signIn(page, { email: administrator.email, password: "not the password" });
  await expect(page.getByRole("alert")).toContainText("The email or the password is wrong");
  await expect(page.getByLabel("Email", { exact: true })).toHaveValue(administrator.email);
  expect(new URL(page.url()).pathname).toBe("/login");
  await visit(page, "/customers/default/users");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("an unknown email is refused with the same words", async ({ page }) => {
  await visit(page, "/login");
  await signIn(page, { email: "nobody@example.org", password: "not the password" });
  await expect(page.getByRole("alert")).toContainText("The email or the password is wrong");
});

test("who signs in comes to the page that was asked for", async ({ page }) => {
  const asked = "/customers/default/sync-history?before=5";
  await visit(page, asked);
  expect(new URL(page.url()).pathname).toBe("/login");
  await signIn(page);
  await arrived(page, asked);
  await expect(page.getByRole("heading", { name: "Sync History" })).toBeVisible();
});

test("the way back never leads to another site", async ({ page, portal }) => {
  for (const next of ["//evil.example/", "https://evil.example/", "/\\evil.example"]) {
    await page.context().clearCookies();
    await visit(page, `/login?next=${encodeURIComponent(next)}`);
    await signIn(page);
    await arrived(page, dashboardPath);
    expect(page.url().startsWith(portal.url)).toBe(true);
  }
});

test("signing out ends the session", async ({ page }) => {
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  const session = await page.context().cookies();
  await page.locator("details.account > summary").click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL("**/login**");

  // Not only the cookie: the session itself is gone.
  await page.context().addCookies(session);
  await visit(page, "/customers/default/users");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a session that ends under an open page leads to the sign-in and back", async ({ page, watch }) => {
  await visit(page, connectPath);
  await signIn(page);
  await arrived(page, connectPath);
  await page.context().clearCookies();
  watch.expects("401");
  await (await menu(page)).getByRole("link", { name: "Users" }).click();
  await page.waitForURL("**/login?next=**");
  await signIn(page);
  await arrived(page, "/customers/default/users");
  await expect(page.getByRole("heading", { name: "Users", level: 1 })).toBeVisible();
});

test("a form sent after the session ended leads to the sign-in", async ({ page, watch }) => {
  await visit(page, connectPath);
  await signIn(page);
  await arrived(page, connectPath);
  await page.context().clearCookies();
  watch.expects("401");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  if (withScripts()) await expect(page.locator(".toasts").getByText("You are signed out")).toBeVisible();
  else await page.waitForURL("**/login**");
});

test("an address that leads nowhere says so", async ({ page, watch }) => {
  watch.expects("404");
  await visit(page, "/login");
  await signIn(page);
  await arrived(page, dashboardPath);
  for (const path of ["/nowhere", "/customers/default/nowhere", "/customers/nobody/users", "/customers/default/sync-history/0198c0de-0000-7000-8000-000000000000"]) {
    const response = await visit(page, path);
    expect(response?.status(), path).toBe(404);
    await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  }
});
