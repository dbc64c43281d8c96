import { relative } from "node:path"
import { LockstepError } from "../errors.js"
import { atAddress, type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import { running } from "../test-db/server.js"
import { type ConnectionKey, type ConnectionValue, connectionIn } from "./older-schema.js"
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
const usual = "DATABASE_URL"

/**
 * The variables that the prisma.config or, up to Prisma 6, the schema names for the database win, in the environment
 * and then in .env; of two, directUrl's, which is what migrations use. Then DATABASE_URL, what else the prisma.config
 * or the schema holds, and last the running test database. LOCKSTEP_DATABASE_HOST (host:port) is where this machine
 * reaches the server, whatever host the URL names.
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
    const source = first.source === configName(project) ? origin : undefined
    return { url, source: source ?? first.source, isTestDatabase }
  }
  if (test) return { url: parseDatabaseUrl(test.url), source: testDatabase, isTestDatabase: true }
  throw noUrl(project)
}

const isSameDatabase = (one: DatabaseUrl, other: DatabaseUrl): boolean =>
  one.host === other.host && one.port === other.port && one.database === other.database

function noUrl(project: Project): LockstepError {
  const names = urlVariables(project)
  const [first] = names
  const all = names.join(" and ")
  const unset = names.length === 1 ? `${all} is not set, no .env holds it` : `${all} are not set, no .env holds them`
  return new LockstepError("L1205", `no database URL: ${unset}, and no test database is running`, {
    hint: all === usual ? undefined : `${all}: named by ${namedBy(project)}.`,
    next: `set ${first}, or start a test database with \`lockstep test-db up\``,
  })
}

/** A file as a person names it: from the working directory, or else from the project. */
function shown({ root }: Project, path: string): string {
  const here = relative(process.cwd(), path)
  return here.startsWith("..") ? relative(root, path) : here
}

const configName = (project: Project): string | undefined => project.configPath && shown(project, project.configPath)

function namedBy(project: Project): string {
  if (project.configUrlVariable) return configName(project) ?? "prisma.config"
  const [first] = connections(project)
  return first === undefined ? "prisma" : placeOf(project, first)
}

const placeOf = (project: Project, { path, line }: ConnectionValue): string => `${shown(project, path)}:${line}`

/**
 * The variables that name this project's database, the one that migrations use first: those of the prisma.config or
 * the schema; DATABASE_URL where neither names one.
 */
export const urlVariables = (project: Named): Variables => variablesOf(project, connections(project))

type Variables = readonly [string, ...string[]]

/** What of a project names its database's variables. */
type Named = Pick<Project, "configUrlVariable" | "schemaPath">

function variablesOf(project: Named, values: readonly ConnectionValue[]): Variables {
  if (project.configUrlVariable) return [project.configUrlVariable]
  const [first, ...rest] = values.flatMap((value) => (value.from === "variable" ? [value.name] : []))
  return first === undefined ? [usual] : [first, ...rest]
}

/** The URLs of an older schema that are the database's: migrations go through the direct one. */
function connections({ schemaPath }: Named): readonly ConnectionValue[] {
  const found = connectionIn(readSchemaIfPossible(schemaPath))
  const keys: readonly ConnectionKey[] = ["directUrl", "url"]
  return keys.flatMap((key) => found[key] ?? [])
}

/** The URL of the shadow database that the prisma.config or, up to Prisma 6, the schema names. */
export function shadowUrlOf(project: Project): string | undefined {
  if (project.shadowUrl !== undefined) return project.shadowUrl
  const value = connectionIn(readSchemaIfPossible(project.schemaPath)).shadowDatabaseUrl
  if (value === undefined || value.from === "text") return value?.url
  return [process.env, ...project.dotenv.map(({ variables }) => variables)].find((one) => one[value.name])?.[value.name]
}

/** Every variable from which a program of the project may read the database's URL, with this URL. */
export const urlEnvironment = (project: Project, url: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...urlVariables(project), usual].map((name) => [name, url]))

/** An error of this project: what says DATABASE_URL in general names the project's own variable. */
export function inTermsOf(project: Project, error: unknown): unknown {
  if (!(error instanceof LockstepError) || error.details.next?.includes(usual) !== true) return error
  const [name] = urlVariables(project)
  if (name === usual) return error
  const next = error.details.next.replaceAll(new RegExp(`\\b${usual}\\b`, "g"), name)
  return new LockstepError(error.code, error.message, { ...error.details, next })
}

interface Candidate {
  readonly text: string | undefined
  readonly source: string
}

function* candidates(project: Project): Generator<Candidate> {
  const config = configName(project)
  const values = connections(project)
  const names = variablesOf(project, values)
  const isNamed = names[0] !== usual
  if (isNamed) {
    for (const name of names) {
      yield { text: name === usual ? project.environmentUrl : process.env[name], source: name }
      yield* fromDotenv(project, name)
    }
    if (config && project.configUrlVariable) yield { text: project.configUrl, source: config }
  }
  const instead = isNamed && !names.includes(usual) ? `${usual} (${names.join(" and ")}: not set)` : usual
  yield { text: project.environmentUrl, source: instead }
  if (config) yield { text: project.configUrl, source: config }
  yield* fromDotenv(project, usual)
  if (config) yield { text: process.env[usual], source: `${usual}, set by ${config}` }
  for (const value of values) if (value.from === "text") yield { text: value.url, source: placeOf(project, value) }
}

function* fromDotenv(project: Project, name: string): Generator<Candidate> {
  for (const file of project.dotenv)
    yield { text: file.variables[name], source: `${name} in ${shown(project, file.path)}` }
}
