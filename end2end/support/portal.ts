import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { freePorts, Running } from "./processes.js";

/** What an administrator copies from Entra into the Connect form. */
export interface Tenant {
  domain: string;
  clientId: string;
  clientSecret: string;
}

export const administrator = { email: "ada@example.org", password: "correct horse battery staple" };

const dist = resolve(import.meta.dirname, "../../target/dist");

/** A portal of its own with an empty data folder, and a simulated tenant beside it. */
export class Portal {
  private constructor(
    readonly url: string,
    readonly tenant: Tenant,
    readonly dataDir: string,
    private readonly processes: Running[],
    private readonly env: Record<string, string>,
    private readonly controlUrl: string,
  ) {}

  static async start({ users, seed } = { users: 450, seed: 7 }): Promise<Portal> {
    const [simPort, controlPort, portalPort] = (await freePorts(3)) as [number, number, number];
    const dataDir = await mkdtemp(join(tmpdir(), "rollcall-e2e-"));
    const processes: Running[] = [];
    try {
      const sim = new Running(
        "entra-sim",
        join(dist, "entra-sim"),
        ["--listen", `127.0.0.1:${simPort}`, "--control", `127.0.0.1:${controlPort}`, "--users", `${users}`, "--seed", `${seed}`],
        {},
      );
      processes.push(sim);
      const tenant = await sim.until(() => printedTenant(sim.output), "the tenant's values were printed");

      const url = `http://127.0.0.1:${portalPort}`;
      const env = {
        ROLLCALL_LISTEN: `127.0.0.1:${portalPort}`,
        ROLLCALL_DATA_DIR: dataDir,
        ROLLCALL_ADMIN_EMAIL: administrator.email,
        ROLLCALL_ADMIN_PASSWORD: administrator.password,
        ROLLCALL_ENTRA_LOGIN_URL: `http://127.0.0.1:${simPort}`,
        ROLLCALL_GRAPH_URL: `http://127.0.0.1:${simPort}`,
      };
      const portal = new Running("rollcall", join(dist, "rollcall"), ["serve"], env);
      processes.push(portal);
      await portal.until(() => ready(url), "/readyz answered");
      return new Portal(url, tenant, dataDir, processes, env, `http://127.0.0.1:${controlPort}`);
    } catch (error) {
      await stopAll(processes, dataDir);
      throw error;
    }
  }

  /** Runs the command line on this portal's data, beside the running server, as an administrator would. */
  async command(...args: string[]): Promise<string> {
    const env = { ...this.env, E2E_CLIENT_SECRET: this.tenant.clientSecret };
    return (await promisify(execFile)(join(dist, "rollcall"), args, { env })).stdout;
  }

  /** Connects the tenant and syncs it, for tests that begin with people in the portal. */
  async connectAndSync(): Promise<void> {
    const file = join(this.dataDir, "settings.toml");
    await writeFile(
      file,
      [
        "[entra]",
        "enabled = true",
        `tenant = "${this.tenant.domain}"`,
        `client_id = "${this.tenant.clientId}"`,
        'client_secret_env = "E2E_CLIENT_SECRET"',
      ].join("\n"),
    );
    await this.command("settings", "apply", "default", file);
    await this.command("sync", "default");
  }

  /** Changes the simulated tenant, by its control API. */
  async control(path: string, body?: unknown, method: "POST" | "DELETE" = "POST"): Promise<void> {
    const json = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(`${this.controlUrl}${path}`, { method, ...json });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  }

  /** What the programs printed: attached to a failed test. */
  log(): string {
    return this.processes.map((process) => process.output).join("\n----\n");
  }

  async stop(): Promise<void> {
    await stopAll(this.processes, this.dataDir);
  }
}

async function stopAll(processes: Running[], dataDir: string): Promise<void> {
  await Promise.all(processes.map((process) => process.stop()));
  await rm(dataDir, { recursive: true, force: true });
}

async function ready(url: string): Promise<true | undefined> {
  try {
    return (await fetch(`${url}/readyz`)).ok || undefined;
  } catch {
    return undefined; // Not listening yet.
  }
}

/** The values that entra-sim prints at its start; its last line is the control address. */
function printedTenant(output: string): Tenant | undefined {
  const value = (label: string) => new RegExp(`^${label}: +(\\S+)$`, "m").exec(output)?.[1];
  const [domain, clientId, clientSecret] = [value("tenant domain"), value("client id"), value("client secret")];
  return value("control") && domain && clientId && clientSecret ? { domain, clientId, clientSecret } : undefined;
}
