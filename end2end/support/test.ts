import { test as base, expect, type Locator, type Page, type Response } from "@playwright/test";

import { administrator, Portal } from "./portal.js";

export { administrator, expect };

/** What a test may expect to go wrong, by a part of its text. */
export interface Watch {
  /** A complaint that contains this text is part of the test. */
  expects(text: string): void;
  /** The body of every text response so far, by address. */
  bodies(): Promise<Map<string, string>>;
}

/**
 * Every test gets a portal and a tenant of its own, and fails on whatever the browser complains about: a console
 * error, an uncaught exception, a request that failed, a violation of the content security policy, an answer of
 * 400 and above. Without JavaScript it also fails on a POST that does not end in a redirect to a local path.
 */
export const test = base.extend<{ portal: Portal; watch: Watch }>({
  // Playwright reads the fixtures it needs from the first argument, so it is destructured though empty.
  portal: async ({}, use, info) => {
    const portal = await Portal.start();
    await use(portal);
    await portal.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("programs", { body: portal.log(), contentType: "text/plain" });
      console.log(portal.log());
    }
  },

  baseURL: async ({ portal }, use) => use(portal.url),

  watch: [
    async ({ page, javaScriptEnabled, baseURL }, use) => {
      const complaints: string[] = [];
      const expected: string[] = [];
      const texts = new Map<string, Promise<string>>();

      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(`console: ${message.text()} (${message.location().url})`);
      });
      page.on("pageerror", (error) => complaints.push(`exception: ${error.stack ?? error.message}`));
      page.on("requestfailed", (request) => {
        const reason = request.failure()?.errorText ?? "";
        // The browser drops what a page was still waiting for when the page is left, and every script when scripts are
        // off; it words the latter like a violation of the policy. (A real one is a console error as well.)
        const off = !javaScriptEnabled && reason === "csp" && ["script", "other"].includes(request.resourceType());
        if (reason !== "net::ERR_ABORTED" && !off) complaints.push(`request failed: ${request.url()} ${reason}`);
      });
      page.on("response", (response) => {
        if (response.status() >= 400) complaints.push(`answer ${response.status()}: ${response.url()}`);
        if (!javaScriptEnabled && response.request().method() === "POST") complaints.push(...notALocalRedirect(response));
        const type = response.headers()["content-type"] ?? "";
        // The live stream goes on as long as its page.
        if (/^(text|application\/json)/.test(type) && !type.startsWith("text/event-stream")) {
          // A redirect and a page that was left have no body to read.
          texts.set(`${texts.size} ${response.url()}`, response.text().catch(() => ""));
        }
      });
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) =>
          console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`),
        );
        // Hydration follows in the same task as the end of this promise: see `settled`.
        const instantiate = WebAssembly.instantiateStreaming;
        WebAssembly.instantiateStreaming = async (...args) => {
          const result = await instantiate(...args);
          setTimeout(() => document.documentElement.setAttribute("data-e2e-alive", ""), 0);
          return result;
        };
      });

      await use({
        expects: (text) => expected.push(text),
        bodies: async () => {
          const entries = [...texts].map(async ([url, text]) => [url, await text] as const);
          return new Map(await Promise.all(entries));
        },
      });

      const surprising = complaints.filter((complaint) => !expected.some((text) => complaint.includes(text)));
      expect(surprising, `what the browser complained about at ${baseURL}`).toEqual([]);
    },
    { auto: true },
  ],
});

function notALocalRedirect(response: Response): string[] {
  const location = response.headers()["location"] ?? "";
  const local = location.startsWith("/") && !location.startsWith("//");
  const redirect = response.status() === 302 || response.status() === 303;
  return redirect && local ? [] : [`POST ${response.url()} answered ${response.status()} to "${location}"`];
}

/** Waits until the page is alive: with JavaScript until it is hydrated, without until it is loaded. */
export async function settled(page: Page): Promise<void> {
  if (withScripts()) await page.locator("html[data-e2e-alive]").waitFor();
}

/** Whether this project's browser runs JavaScript. */
export function withScripts(): boolean {
  return test.info().project.use.javaScriptEnabled !== false;
}

export async function visit(page: Page, path: string): Promise<Response | null> {
  const response = await page.goto(path);
  await settled(page);
  return response;
}

/** Waits until the browser is at this path. (A pattern would also match the sign-in page, whose address names it.) */
export async function arrived(page: Page, path: string): Promise<void> {
  await page.waitForURL((url) => url.pathname + url.search === path);
  await settled(page);
}

/** Signs in on the page that is open or, when none is, on the start page. */
export async function signIn(page: Page, as: { email: string; password: string } = administrator): Promise<void> {
  if (!page.url().includes("/login")) await visit(page, "/login");
  await settled(page);
  await page.getByLabel("Email", { exact: true }).fill(as.email);
  await page.getByLabel("Password", { exact: true }).fill(as.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** The menu, which is folded behind a button on a narrow screen. */
export async function menu(page: Page): Promise<Locator> {
  const folded = page.locator("details.narrow-menu");
  const wide = page.getByRole("navigation", { name: "Main", exact: true });
  // The frame may still be on its way.
  await folded.locator("summary").or(wide).filter({ visible: true }).first().waitFor();
  if (await folded.locator("summary").isVisible()) {
    if (!(await folded.evaluate((details: HTMLDetailsElement) => details.open))) await folded.locator("summary").click();
    return folded;
  }
  return wide;
}

/** The message at the top right, with its tone. */
export function toast(page: Page, tone: "good" | "warning" | "bad", text: string): Locator {
  return page.locator(`.toasts .toast.${tone}`).filter({ hasText: text });
}

export const dashboardPath = "/customers/default/dashboard";
export const connectPath = "/customers/default/service-settings/directory-services/entra-id/connect";
