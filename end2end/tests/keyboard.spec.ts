import type { Page } from "@playwright/test";

import { administrator, arrived, connectPath, expect, test, toast, visit } from "../support/test.js";

/** Presses Tab until the focus is where it should be; fails when it goes round without getting there. */
async function tabTo(page: Page, role: "textbox" | "button" | "checkbox" | "combobox" | "link", name: string): Promise<void> {
  const target = page.getByRole(role, { name, exact: true });
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    if (await target.evaluateAll((all) => all.some((one) => one === document.activeElement))) {
      const outline = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement ?? document.body);
        return style.outlineStyle !== "none" || style.boxShadow !== "none";
      });
      expect(outline, `${name} shows that it has the focus`).toBe(true);
      return;
    }
  }
  throw new Error(`Tab never reaches the ${role} "${name}"`);
}

test("the way from sign-in to a saved connection needs no mouse @js", async ({ page, portal }) => {
  await visit(page, connectPath);
  await tabTo(page, "textbox", "Email");
  await page.keyboard.type(administrator.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(administrator.password);
  await page.keyboard.press("Enter");
  await arrived(page, connectPath);
  await visit(page, connectPath);

  // The first stop leads past the menu.
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");

  await tabTo(page, "checkbox", "Enable Azure Sync");
  await page.keyboard.press("Space");
  await expect(page.getByRole("checkbox", { name: "Enable Azure Sync" })).toBeChecked();
  await tabTo(page, "textbox", "Tenant Domain");
  await page.keyboard.type(portal.tenant.domain);
  await tabTo(page, "textbox", "Client ID");
  await page.keyboard.type(portal.tenant.clientId);
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Client Secret", { exact: true })).toBeFocused();
  await page.keyboard.type(portal.tenant.clientSecret);
  await tabTo(page, "combobox", "Sync Frequency");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByLabel("Sync Frequency", { exact: true })).toHaveValue("12h");

  await tabTo(page, "button", "Test");
  await page.keyboard.press("Enter");
  await expect(toast(page, "good", "Azure Connection test was passed")).toBeVisible();

  // Enter in a field saves: Save is the form's first button.
  await page.getByLabel("Client ID", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(toast(page, "good", "The settings were saved")).toBeVisible();

  await tabTo(page, "button", "Sync Now");
  await page.keyboard.press("Enter");
  await expect(toast(page, "good", "Azure sync has successfully started")).toBeVisible();
});

test("a button that is working cannot be pressed twice @js", async ({ page }) => {
  await visit(page, connectPath);
  await page.getByLabel("Email", { exact: true }).fill(administrator.email);
  await page.getByLabel("Password", { exact: true }).fill(administrator.password);
  await page.keyboard.press("Enter");
  await arrived(page, connectPath);
  let posts = 0;
  let answer = () => {};
  const pressedTwice = new Promise<void>((resolve) => (answer = resolve));
  await page.route(/\/api\/connect$/, async (route) => {
    posts++;
    await pressedTwice;
    await route.continue();
  });
  const test = page.getByRole("button", { name: "Test", exact: true });
  await test.click();
  await expect(test).toHaveAttribute("aria-disabled", "true");
  await test.click({ force: true });
  answer();
  await expect(page.locator(".toasts .toast")).toBeVisible();
  expect(posts).toBe(1);
});
