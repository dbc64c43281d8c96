import { relative } from "node:path"
import { LockstepError } from "../errors.js"
import { atAddress, type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import { running } from "../test-db/server.js"
import type { Project } from "./project.js"
import { readSchemaIfPossible } from "./schema.js"

/** The database that a command works on, and where its URL was found. */
export interface Target {
  readonly url: DatabaseUrl
  /** For people: "DATABASE_URL", "prisma.config.ts", ".env", "the test database". */
  readonly source: string
  readonly isTestDatabase: boolean
}

const testDatabase = "the test database"

/**
 * DATABASE_URL wins; then the prisma.config (which may name another variable), .env, the variable that an older
 * schema names; then the running test database. LOCKSTEP_DATABASE_HOST (host:port) is where this machine reaches the
 * server, whatever host the URL names.
 * Errors: L1205 none of them, L1201 to L1204 the URL is wrong.
 */
export async function findTarget(project: Project): Promise<Target> {
  const test = await running(project.root)
  const found = [...candidates(project)].filter(({ text }) => text)
  const [first] = found
  if (first?.text) {
    const url = atAddress(parseDatabaseUrl(first.text), process.env.LOCKSTEP_DATABASE_HOST)
    const isTestDatabase = test !== undefined && isSameDatabase(url, parseDatabaseUrl(test.url))
    // A prisma.config often passes on what another place holds: then that place is the one to name.
    const elsewhere = found.find(({ text, source }) => text === first.text && source !== first.source)?.source
    const origin = test?.url === first.text ? testDatabase : elsewhere
    const source = first.text === project.configUrl && !project.environmentUrl ? origin : undefined
    return { url, source: source ?? first.source, isTestDatabase }
  }
  if (test) return { url: parseDatabaseUrl(test.url), source: testDatabase, isTestDatabase: true }
  throw new LockstepError(
    "L1205",
    "no database URL: DATABASE_URL is not set, no .env holds it, and no test database is running",
    { next: "set DATABASE_URL, or start a test database with `lockstep test-db up`" },
  )
}

const isSameDatabase = (one: DatabaseUrl, other: DatabaseUrl): boolean =>
  one.host === other.host && one.port === other.port && one.database === other.database

function* candidates(project: Project): Generator<{ text: string | undefined; source: string }> {
  yield { text: project.environmentUrl, source: "DATABASE_URL" }
  const config = project.configPath && relative(project.root, project.configPath)
  if (config) yield { text: project.configUrl, source: config }
  yield* fromDotenv(project, "DATABASE_URL")
  if (config) yield { text: process.env.DATABASE_URL, source: `DATABASE_URL, set by ${config}` }
  for (const name of namedBySchema(project.schemaPath)) {
    yield { text: process.env[name], source: name }
    yield* fromDotenv(project, name)
  }
}

function* fromDotenv(project: Project, name: string) {
  for (const file of project.dotenv)
    yield { text: file.variables[name], source: `${name} in ${relative(project.root, file.path)}` }
}

/** Schemas before Prisma 7 hold `directUrl = env("X")` and `url = env("Y")`; migrations go through the direct one. */
function namedBySchema(schemaPath: string): string[] {
  const schema = readSchemaIfPossible(schemaPath)
    .map(({ content }) => content)
    .join("\n")
  return ["directUrl", "url"].flatMap((key) => {
    const name = new RegExp(`^\\s*${key}\\s*=\\s*env\\("([^"]+)"\\)`, "m").exec(schema)?.[1]
    return name ? [name] : []
  })
}
