import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

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
  ) {}

  static async start(): Promise<Portal> {
    const [simPort, controlPort, portalPort] = (await freePorts(3)) as [number, number, number];
    const dataDir = await mkdtemp(join(tmpdir(), "rollcall-e2e-"));
    const processes: Running[] = [];
    try {
      const sim = new Running(
        "entra-sim",
        join(dist, "entra-sim"),
        ["--listen", `127.0.0.1:${simPort}`, "--control", `127.0.0.1:${controlPort}`, "--users", "450", "--seed", "7"],
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
        LEPTOS_SITE_ROOT: join(dist, "site"),
      };
      const portal = new Running("rollcall", join(dist, "rollcall"), ["serve"], env);
      processes.push(portal);
      await portal.until(() => ready(url), "/readyz answered");
      return new Portal(url, tenant, dataDir, processes, env);
    } catch (error) {
      await stopAll(processes, dataDir);
      throw error;
    }
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

function printedTenant(output: string): Tenant | undefined {
  const value = (label: string) => new RegExp(`^\\s*${label}:?\\s+(\\S+)$`, "m").exec(output)?.[1];
  const [domain, clientId, clientSecret] = [value("Tenant Domain"), value("Client ID"), value("Client Secret")];
  return domain && clientId && clientSecret ? { domain, clientId, clientSecret } : undefined;
}
