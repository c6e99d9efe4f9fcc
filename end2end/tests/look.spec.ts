import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { arrived, connectPath, dashboardPath, expect, settled, signIn, test, toast, visit, withScripts } from "../support/test.js";

const customer = "/customers/default";
const pages = [
  "/customers",
  `${customer}/dashboard`,
  `${customer}/users`,
  `${customer}/users?q=an&sort=address`,
  `${customer}/users/new`,
  `${customer}/users/import`,
  `${customer}/users/take-over`,
  `${customer}/groups`,
  `${customer}/service-settings/directory-services`,
  connectPath,
  `${customer}/sync-history`,
  `${customer}/audit-log`,
  `${customer}/administrators`,
  `${customer}/settings`,
  "/account",
];

async function signedIn(page: Page): Promise<void> {
  await visit(page, "/");
  await signIn(page);
  await arrived(page, dashboardPath);
}

/** Asks axe, in both colour schemes. It needs JavaScript in the page; without, the markup is the same. */
async function accessible(page: Page, where: string): Promise<void> {
  if (!withScripts()) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ""}`));
    expect.soft(found, `${where}, ${colorScheme}`).toEqual([]);
  }
}

/** Nothing stands out of the page to the side, down to the narrowest screen. */
async function fits(page: Page, where: string): Promise<void> {
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => {
      const limit = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= limit) return [];
      const out = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > limit + 1);
      return [`${document.documentElement.scrollWidth} > ${limit}`, ...out.slice(0, 5).map((one) => one.outerHTML.slice(0, 160))];
    });
    expect.soft(wide, `${where} at ${width} px`).toEqual([]);
  }
}

async function check(page: Page, where: string): Promise<void> {
  const before = page.viewportSize();
  await accessible(page, where);
  await fits(page, where);
  if (before) await page.setViewportSize(before);
}

test("the sign-in page is accessible and fits a narrow screen", async ({ page }) => {
  await visit(page, "/login");
  await check(page, "/login");
  await signIn(page, { email: "nobody@example.org", password: "wrong wrong wrong" });
  await expect(page.getByRole("alert")).toBeVisible();
  await settled(page);
  await check(page, "/login, refused");
});

test("every page is accessible and fits a narrow screen, before anything is connected", async ({ page }) => {
  test.slow();
  await signedIn(page);
  for (const path of pages) {
    await visit(page, path);
    await check(page, path);
  }
});

test("every page is accessible and fits a narrow screen, with people in it", async ({ page, portal, watch }) => {
  test.slow();
  await portal.connectAndSync();
  await signedIn(page);
  for (const path of pages) {
    await visit(page, path);
    await check(page, path);
  }
  await visit(page, `${customer}/sync-history`);
  await page.getByRole("table").getByRole("link").first().click();
  await expect(page.locator("dl.figures").first()).toBeVisible();
  await check(page, "a run");
  watch.expects("404");
  await visit(page, `${customer}/nowhere`);
  await check(page, "not found");
});

test("the answers of Connect are accessible and fit a narrow screen", async ({ page, portal }) => {
  await signedIn(page);
  await visit(page, connectPath);
  await page.getByLabel("Client ID", { exact: true }).fill("wrong");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(toast(page, "bad", "Nothing was saved")).toBeVisible();
  await settled(page);
  await check(page, "refused fields");
  await page.getByLabel("Tenant Domain", { exact: true }).fill(portal.tenant.domain);
  await page.getByLabel("Client ID", { exact: true }).fill(portal.tenant.clientId);
  await page.getByLabel("Client Secret", { exact: true }).fill("wrong");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.locator(".steps .step.bad").first()).toBeVisible();
  await settled(page);
  await check(page, "a failed test");
});

test("the choice of light or dark stays", async ({ page }) => {
  await signedIn(page);
  await page.locator("details.account > summary").click();
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  await expect(page.locator("html[data-theme=dark]")).toBeVisible();
  await visit(page, `${customer}/users`);
  await expect(page.locator("html[data-theme=dark]")).toBeVisible();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.locator("details.account > summary").click();
  await page.getByRole("button", { name: "Light", exact: true }).click();
  await expect(page.locator("html[data-theme=light]")).toBeVisible();
  expect(await background()).not.toBe(dark);
});
