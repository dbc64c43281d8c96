import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import type { Project } from "../project/project.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { running } from "../test-db/server.js"
import type { Available } from "./resources.js"

/** A server where a check may create as many scratch databases as it needs, beside the other checks. */
export interface Scratch {
  /** Scratch databases are made beside this database, which is not touched. */
  readonly setting: EngineSetting
  /** PostgreSQL's major version. */
  readonly version: number
}

/** A scratch server, and how it is given up after the run. */
export interface OpenScratch {
  readonly found: Available<Scratch>
  readonly close: () => Promise<void>
}

/**
 * The shadow database's server where its role may create databases; else the running test database's; else an embedded
 * one for the time of the command. `schema`: the PostgreSQL schema that unqualified names mean.
 */
export async function openScratch(project: Project, schema: string | undefined): Promise<OpenScratch> {
  const scratchOn = async (text: string): Promise<Scratch | undefined> => {
    const url = parseDatabaseUrl(text)
    const server = await examine(url)
    const setting = {
      url: { ...url, schema: schema ?? url.schema },
      initShadowDb: project.initShadowDb,
      external: project.external,
    }
    return server.mayCreate ? { setting, version: server.version } : undefined
  }
  for (const text of [project.shadowUrl, (await running(project.root))?.url]) {
    const scratch = text === undefined ? undefined : await scratchOn(text)
    if (scratch) return { found: { state: "available", value: scratch }, close: async () => {} }
  }
  return await temporary(scratchOn)
}

async function temporary(scratchOn: (url: string) => Promise<Scratch | undefined>): Promise<OpenScratch> {
  const { startTemporaryServer } = await import("../test-db/temporary.js")
  try {
    const { url, stop } = await startTemporaryServer()
    const scratch = await scratchOn(url)
    if (scratch) return { found: { state: "available", value: scratch }, close: stop }
    throw new Error("the embedded server's role may create databases")
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    const why = `no scratch server (${error.message}): start one with \`lockstep test-db up\`, or set shadowDatabaseUrl in prisma.config`
    return { found: { state: "absent", why }, close: async () => {} }
  }
}

async function examine(url: DatabaseUrl): Promise<{ readonly mayCreate: boolean; readonly version: number }> {
  const client = await connect(url, { applicationName: "lockstep check" })
  try {
    const { rows } = await client.query<{ may: string }>(
      "SELECT rolcreatedb OR rolsuper AS may FROM pg_catalog.pg_roles WHERE rolname = current_user",
    )
    return { mayCreate: rows[0]?.may === "t", version: await majorVersion(client) }
  } finally {
    await client.end()
  }
}

/** PostgreSQL's major version, as in 18. */
export async function majorVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ number: string }>("SELECT current_setting('server_version_num') AS number")
  return Math.floor(Number(rows[0]?.number) / 10_000)
}
