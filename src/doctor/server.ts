import { inspect } from "../deploy/connect/database.js"
import { isPooled } from "../deploy/connect/pooler.js"
import { defaultSettings } from "../deploy/context.js"
import { LockstepError } from "../errors.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { extensionsIn, extensionsInSchema } from "../project/extensions.js"
import { readSchemaIfPossible } from "../project/schema.js"
import {
  type DatabaseContext,
  type Examination,
  failed,
  failedWith,
  type Outcome,
  type Problem,
  passed,
  warned,
} from "./examination.js"
import { problemOf } from "./project.js"

/** The versions of PostgreSQL on which the tests run. */
const majors = { oldest: 13, newest: 18 }

/** Judges server_version_num, such as 180004. */
export function versionFits(number: number): Outcome {
  const major = Math.floor(number / 10_000)
  const version = `PostgreSQL ${major}.${number % 10_000}`
  if (major < majors.oldest) {
    return failed({
      message: `${version} is not supported: Lockstep works with PostgreSQL ${majors.oldest} to ${majors.newest}`,
    })
  }
  if (major > majors.newest) {
    return warned({
      message: `${version} is newer than this Lockstep, which is tested up to PostgreSQL ${majors.newest}`,
    })
  }
  return passed
}

export const version: Examination<DatabaseContext> = {
  id: "database/version",
  title: "PostgreSQL is a version that Lockstep supports",
  why: "Statements that Lockstep sends are tested on PostgreSQL 13 to 18.",
  async examine({ client }) {
    const { rows } = await client.query<{ number: string }>("SELECT current_setting('server_version_num') AS number")
    return versionFits(Number(rows[0]?.number))
  },
}

/** What a URL says about a pooler: Neon's and Supabase's host names, PgBouncer's usual ports, Prisma's own parameter. */
export function poolerIn({
  host,
  port,
  pgbouncer,
}: Pick<DatabaseUrl, "host" | "port" | "pgbouncer">): string | undefined {
  if (pgbouncer) return "it has pgbouncer=true"
  if (/-pooler\.|\.pooler\.|^pooler\./.test(host)) return `the host ${host} is a pooler's`
  return port === 6543 || port === 6432 ? `${port} is a pooler's usual port` : undefined
}

const direct = "use the database's direct address for migrations, and the pooler for the application"

export const connection: Examination<DatabaseContext> = {
  id: "database/connection",
  title: "the URL leads to a primary that keeps a session's lock: no transaction pooler, no standby",
  why: "The migration lock belongs to a session. A pooler in transaction mode has none to keep, and a standby accepts no writes.",
  async examine({ client, target: { url } }) {
    const request = { url, settings: { ...defaultSettings, connectTimeout: 5000 }, applicationName: "lockstep doctor" }
    try {
      const { rows } = await client.query<{ pid: string }>("SELECT pg_backend_pid() AS pid")
      const isPooler = isPooled(client, Number(rows[0]?.pid))
      await inspect(client, { ...request, signal: new AbortController().signal, onEvent: () => undefined })
      const sign = poolerIn(url)
      if (isPooler) return passed
      return sign === undefined ? passed : warned({ message: `the URL may be that of a pooler: ${sign}`, next: direct })
    } catch (error) {
      if (error instanceof LockstepError && (error.code === "L1021" || error.code === "L1022"))
        return failed(problemOf(error))
      throw error
    }
  },
}

export const extensions: Examination<DatabaseContext> = {
  id: "database/extensions",
  title: "the server has the extensions that the migrations and the schema need",
  why: "A migration that creates an extension fails where the server lacks it, or where only a superuser may create it.",
  async examine({ client, project, folder }) {
    const schema = readSchemaIfPossible(project.schemaPath).map(({ content }) => content)
    const needed = new Map([
      ...extensionsInSchema(schema.join("\n")),
      ...(folder ? await extensionsIn(folder.migrations) : []),
    ])
    if (needed.size === 0) return passed
    const { rows } = await client.query<{ name: string; installed: string; allowed: string }>({
      text: `SELECT a.name, a.installed_version IS NOT NULL AS installed,
          coalesce(bool_or(v.trusted OR NOT v.superuser), true) OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS allowed
        FROM pg_available_extensions a LEFT JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
        WHERE a.name = ANY($1) GROUP BY a.name, a.installed_version`,
      values: [[...needed.keys()]],
    })
    const known = new Map(rows.map((row) => [row.name, row]))
    const problems = [...needed].flatMap(([name, by]): readonly Problem[] => {
      const found = known.get(name)
      if (found?.installed === "t" || found?.allowed === "t") return []
      const sql = `CREATE EXTENSION ${quoteIdentifier(name)}`
      return found === undefined
        ? [
            {
              message: `the server does not have the extension ${name}, which ${by} needs`,
              next: "install it on the server, or use a server that has it",
            },
          ]
        : [
            {
              message: `only a superuser may create the extension ${name}, which ${by} needs`,
              next: `as a superuser, in this database: ${sql}`,
            },
          ]
    })
    return failedWith(problems)
  },
}
