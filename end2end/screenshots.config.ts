import { defineConfig } from "@playwright/test";

import tests from "./playwright.config.js";

/** The pictures of the README, taken from the release: `make screenshots`. */
export default defineConfig({
  ...tests,
  testDir: "screenshots",
  workers: 1,
  timeout: 300_000,
  projects: [{ name: "pictures", use: { viewport: { width: 1440, height: 900 } } }],
});
