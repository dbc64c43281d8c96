import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { down, type EmbeddedServer, up } from "../../src/postgres/embedded/server.js"

/** A server of a test's own, to be broken. */
export interface OwnServer extends EmbeddedServer {
  /** Ends it at once, as a crash does: no checkpoint, no farewell. */
  stopImmediate(): void
  /** Starts it again on the same port and data. */
  restart(): Promise<void>
}

/** Starts a server; it is removed when the test ends. */
export async function ownServer(settings: Readonly<Record<string, string | number>> = {}): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-server-"))
  // The server's account has to pass through.
  await chmod(folder, 0o755)
  onTestFinished(async () => {
    await down(folder)
    await rm(folder, { recursive: true, force: true })
  })
  let server = await up(folder, { settings })
  return {
    ...server,
    stopImmediate: () => void process.kill(server.pid, "SIGQUIT"),
    restart: async () => {
      server = await up(folder, { settings })
    },
  }
}
