import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import { shadowUrlOf } from "../project/database-url.js"
import type { Project } from "../project/project.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { findScratchServer } from "../scratch/server.js"
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
  const { root, initShadowDb, external } = project
  const shadow = shadowUrlOf(project)
  const searches = [...(shadow ? [{ root, shadowUrl: parseDatabaseUrl(shadow) }] : []), { root }]
  for (const search of searches) {
    const server = await findScratchServer(search).catch(failed)
    if (server instanceof LockstepError) return { found: noServer(server), close: async () => {} }
    const { mayCreate, version } = await examine(server.url)
    const setting = { url: { ...server.url, schema: schema ?? server.url.schema }, initShadowDb, external }
    if (mayCreate) return { found: { state: "available", value: { setting, version } }, close: server.close }
    await server.close()
  }
  return { found: { state: "absent", why: "no scratch server whose role may create databases" }, close: async () => {} }
}

function failed(error: unknown): LockstepError {
  if (error instanceof LockstepError) return error
  throw error
}

const noServer = ({ message }: LockstepError): Available<never> => ({
  state: "absent",
  why: `no scratch server (${message}): start one with \`lockstep test-db up\`, or set shadowDatabaseUrl in prisma.config`,
})

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
