import { spawn } from "node:child_process"
import { chmod, mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import { pathsOf } from "../test-db/paths.js"
import { running } from "../test-db/server.js"
import { atEnd } from "./database.js"

/** Where a server for scratch databases is looked for. */
export interface ScratchSearch {
  /** --shadow-url, or the configuration's shadowDatabaseUrl. */
  readonly shadowUrl?: DatabaseUrl | undefined
  /** The project's folder, whose test database may be running. */
  readonly root: string
}

/** A server on which scratch databases can be made. */
export interface FoundServer {
  readonly url: DatabaseUrl
  /** For people: which one it is. */
  readonly what: "the shadow database's server" | "the test database's server" | "an embedded server"
  /** Whether it is nobody else's, so that roles which a history names may be created there. */
  readonly isOwn: boolean
  readonly close: () => Promise<void>
}

/**
 * Finds a server that is not the target's: the one that is named, else the running test database's, else an embedded one
 * that is started for the time of the command. Errors: L1501 to L1508 where none can be started.
 */
export async function findScratchServer({ shadowUrl, root }: ScratchSearch): Promise<FoundServer> {
  const stays = async () => undefined
  if (shadowUrl !== undefined)
    return { url: shadowUrl, what: "the shadow database's server", isOwn: false, close: stays }
  const testDb = await running(root)
  if (testDb !== undefined)
    return { url: parseDatabaseUrl(testDb.url), what: "the test database's server", isOwn: false, close: stays }
  return await startEmbedded()
}

async function startEmbedded(): Promise<FoundServer> {
  const { down, up } = await import("../test-db/server.js")
  const folder = await mkdtemp(join(tmpdir(), "lockstep-scratch-"))
  // Run by root, the server is another user, and would keep its data elsewhere.
  await chmod(folder, 0o755)
  const dismiss = guard([folder, ...pathsOf(await realpath(folder)).clusters])
  const close = atEnd(async () => {
    await down(folder)
    await rm(folder, { recursive: true, force: true })
    dismiss()
  })
  try {
    const { url } = await up(folder)
    return { url: parseDatabaseUrl(url), what: "an embedded server", isOwn: true, close }
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
}

/** Waits for the end of the pipe that this process holds, which is its own end, however that comes. */
const ending = `read -r _
for file in $(find "$@" -name postmaster.pid); do
  pid=$(head -n 1 "$file")
  kill -INT "$pid" && while kill -0 "$pid"; do sleep 0.1; done
done
rm -rf "$@"`

/** Where this process is killed, nobody else would stop the server and remove its folders. Returns what calls the guard off. */
function guard(folders: readonly string[]): () => void {
  const child = spawn("/bin/sh", ["-c", ending, "sh", ...folders], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  })
  child.on("error", () => undefined)
  child.unref()
  return () => child.kill("SIGKILL")
}

/** The roles of a server besides PostgreSQL's own. */
export async function roleNames(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'",
  )
  return rows.map(({ rolname }) => rolname)
}

/** What migrations grant to must exist. On an embedded server nobody can log in with these. */
export async function createRoles({ url }: FoundServer, names: readonly string[]): Promise<void> {
  const admin = await connect(url)
  try {
    for (const name of names) await admin.query(`CREATE ROLE ${quoteIdentifier(name)}`).catch(() => undefined)
  } finally {
    await admin.end()
  }
}
