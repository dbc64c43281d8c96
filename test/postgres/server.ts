import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import pg from "pg"
import { down, up } from "../../src/test-db/server.js"
import { copyCluster } from "../support/cluster.js"

/** A PostgreSQL of a test file's own, for settings that the shared one must not have. */
export interface OwnServer {
  /** As the superuser, without a password. */
  readonly url: string
  readonly port: number
  /** A folder that the server's account can read and write. */
  readonly folder: string
  /** Puts a file there as the server wants a private key: its own, closed to others. */
  file(name: string, content: string | Buffer): string
  run(...statements: readonly string[]): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a server whose first rules of pg_hba.conf are these, above those that trust this machine.
 * It also listens on a unix socket in its folder, and on ::1 where the machine has that.
 */
export async function startServer(rules: readonly string[]): Promise<OwnServer> {
  const root = mkdtempSync(join(tmpdir(), "lockstep-server-"))
  chmodSync(root, 0o755)
  const folder = join(root, "server")
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  const hba = join(folder, "pg_hba.conf")
  writeFileSync(hba, [...rules, "local all all trust", "host all all samehost trust", ""].join("\n"))
  await copyCluster(root)
  const server = await up(root, {
    settings: {
      ...{ listen_addresses: hasIpv6() ? "127.0.0.1,::1" : "127.0.0.1" },
      ...{ unix_socket_directories: folder, hba_file: hba },
    },
  })
  const { uid, gid } = statSync(server.dataDir)
  return {
    url: server.url,
    port: server.port,
    folder,
    file(name, content) {
      const path = join(folder, name)
      writeFileSync(path, content, { mode: 0o600 })
      if (process.getuid?.() === 0) chownSync(path, uid, gid)
      return path
    },
    async run(...statements) {
      const client = new pg.Client(server.url)
      await client.connect()
      try {
        for (const statement of statements) await client.query(statement)
      } finally {
        await client.end()
      }
    },
    async stop() {
      await down(root)
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Whether this machine has an IPv6 address for itself. */
export const hasIpv6 = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"))
