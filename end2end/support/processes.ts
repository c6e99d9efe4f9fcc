import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A program under test: started, read, stopped by its id. */
export class Running {
  /** Everything it printed, for the report of a failed test. */
  output = "";
  readonly #child: ChildProcess;
  readonly #name: string;

  constructor(name: string, command: string, args: string[], env: Record<string, string>) {
    this.#name = name;
    this.#child = spawn(command, args, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    this.#child.on("error", (error) => {
      this.output += `${error}\n`;
    });
  }

  get ended(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until `probe` answers, or fails with what the program printed. */
  async until<T>(probe: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      if (this.ended) throw new Error(`${this.#name} ended before ${what}:\n${this.output}`);
      const answer = await probe();
      if (answer !== undefined) return answer;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${this.#name}: waited 20 s for ${what}:\n${this.output}`);
  }

  async stop(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const impatient = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await exit;
    clearTimeout(impatient);
  }
}

/** Ports that were free a moment ago, each different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
