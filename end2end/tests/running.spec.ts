import { AxeBuilder } from "@axe-core/playwright";

import { administrator, arrived, dashboardPath, expect, settled, signIn, test, toast, visit, withScripts } from "../support/test.js";

const customer = "/customers/default";

test("a sync on the command line is live in two browsers, and one of them cancels it", async ({ page, portal, browser, baseURL }) => {
  test.slow();
  await portal.connectAndSync();
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
  await visit(page, `${customer}/users`);
  const { javaScriptEnabled, viewport } = test.info().project.use;
  const second = await browser.newContext({ baseURL, javaScriptEnabled, viewport });
  const other = await second.newPage();
  await other.goto("/login");
  await other.getByLabel("Email", { exact: true }).fill(administrator.email);
  await other.getByLabel("Password", { exact: true }).fill(administrator.password);
  await other.getByRole("button", { name: "Sign in", exact: true }).click();
  await other.waitForURL((url) => url.pathname === dashboardPath);

  // Slow enough to be seen: a page of the directory takes as long as this.
  await portal.control("/latency", { ms: 12_000 });
  const ended = portal.command("sync", "default", "--json").catch((error: Error) => error.message);
  const pill = (of: typeof page) => of.locator(".pill.running");
  for (const open of [page, other]) {
    if (!withScripts()) {
      // Without JavaScript a page is as of its load.
      await expect(async () => {
        await open.reload();
        await expect(pill(open)).toBeVisible({ timeout: 500 });
      }).toPass();
    }
    await expect(pill(open)).toContainText("Reading the directory");
  }
  // The dashboard says more, by itself.
  await expect(other.locator(".run-progress")).toContainText("Objects read");
  await second.close();

  await pill(page).click();
  const progress = page.locator(".run-progress");
  await expect(progress).toContainText("Reading the directory…");
  await expect(progress).toContainText("Running for");
  const seconds = () => progress.locator("div", { hasText: "Running for" }).locator("dd").last().innerText();
  const before = await seconds();
  // With JavaScript by the stream, without by a page that reloads itself.
  await expect.poll(seconds).not.toBe(before);
  if (withScripts()) {
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map((violation) => violation.id)).toEqual([]);
    // The figures change around the button, and the focus stays on it.
    const cancel = page.getByRole("button", { name: "Cancel the sync" });
    await cancel.focus();
    const then = await seconds();
    await expect.poll(seconds).not.toBe(then);
    await expect(cancel).toBeFocused();
  }
  await page.getByRole("button", { name: "Cancel the sync" }).click();
  await expect(toast(page, "good", "The sync was cancelled. What it had written stays.")).toBeVisible();
  await expect(page.locator(".run-progress")).toHaveCount(0);
  await expect(page.getByText("cancelled by")).toBeVisible();
  await settled(page);
  await portal.control("/latency", { ms: 0 });
  expect(await ended).toContain("cancelled");
});
