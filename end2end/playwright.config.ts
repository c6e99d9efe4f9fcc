import { defineConfig } from "@playwright/test";

/**
 * Every test runs three times: with JavaScript, without, and on a phone. What needs JavaScript by its nature
 * (the keyboard walk through live parts, light and dark) carries the tag `@js` and stays out of the second.
 *
 * `CHROMIUM` names the browser; without it Playwright takes its own.
 */
const chromium = process.env["CHROMIUM"];

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  // Each worker runs a browser, a portal and a tenant.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    headless: true,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "with JavaScript", use: { viewport: { width: 1440, height: 900 } } },
    {
      name: "without JavaScript",
      use: { viewport: { width: 1440, height: 900 }, javaScriptEnabled: false },
      grepInvert: /@js/,
    },
    { name: "mobile", use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } },
  ],
});
