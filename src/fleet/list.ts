import { readFileSync } from "node:fs"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { atAddress, type DatabaseUrl, parseDatabaseUrl, withDatabase } from "../postgres/url.js"
import { inLine } from "../printable.js"
import { addressOf, type FleetTarget } from "./target.js"

/** A target as a list names it: a URL, or a JSON object. `place`: where, such as "targets.jsonl:7". */
export interface Entry {
  readonly place: string
  readonly text: string
}

/** What entries without a URL of their own are on: a database's URL, looked for only where one is needed. */
export type BaseUrl = () => Promise<DatabaseUrl>

const text = z.string("is not a text").check(z.minLength(1, "is empty"))
const word = text.check(z.regex(/^\P{Cc}{1,200}$/u, "has control characters, or over 200 characters"))
const number = z.union([z.number(), z.string()], { error: () => "is not a whole number" })
const order = z.pipe(
  number,
  z.pipe(z.transform(Number), z.number("is not a whole number").check(z.int("is not a whole number"))),
)

/** A target as a JSON object. The URL is given by one of the first three, or is that of the list with another database or schema. */
const object = z.strictObject({
  url: z.optional(text),
  /** The environment variable that holds the URL. */
  urlEnv: z.optional(text),
  /** The file that holds the URL, such as a mounted Secret's. */
  secretFile: z.optional(text),
  ...{ name: z.optional(word), database: z.optional(word), schema: z.optional(word), group: z.optional(word) },
  order: z.optional(order),
})

type Given = z.infer<typeof object>

/** The entries of a text: one a line. Empty lines, and those that begin with #, are none. */
export const entriesIn = (list: string, file: string): readonly Entry[] =>
  list
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), place: `${file}:${index + 1}` }))
    .filter(({ text: line }) => line !== "" && !line.startsWith("#"))

const mostProblems = 20

/**
 * The targets of a list, in its order; every entry is read before any is refused.
 * Errors: L2001 entries that cannot be used, each with its place; L2003 targets that are listed twice.
 */
export async function parseTargets(entries: readonly Entry[], base: BaseUrl): Promise<readonly FleetTarget[]> {
  const problems: string[] = []
  const found: Found[] = []
  for (const { place, text: line } of entries) {
    try {
      const given = parseEntry(line)
      found.push({ place, given, url: await urlOf(given, base) })
    } catch (error) {
      if (error instanceof LockstepError && error.code === "L1205") throw error
      problems.push(`${inLine(place)}: ${inLine(error instanceof Error ? error.message : String(error))}`)
    }
  }
  if (problems.length > 0) {
    throw new LockstepError("L2001", `${counted(problems.length, "line")} of the targets cannot be used`, {
      hint: shortened(problems),
      state: "nothing was touched.",
      next: 'correct them: a postgresql:// URL a line, or JSON such as {"name": "tenant_1", "urlEnv": "TENANT_1_URL"}',
    })
  }
  refuseDuplicates(found)
  return named(found)
}

interface Found {
  readonly place: string
  readonly given: Given
  readonly url: DatabaseUrl
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const shortened = (lines: readonly string[]): string =>
  [
    ...lines.slice(0, mostProblems),
    ...(lines.length > mostProblems ? [`and ${lines.length - mostProblems} more`] : []),
  ].join("\n")

/** What is wrong is said without the text itself, any part of which may be a part of a password. */
function parseEntry(line: string): Given {
  if (!line.startsWith("{")) return { url: line }
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Error("it begins as JSON, and is not valid JSON")
  }
  const parsed = z.safeParse(object, value)
  if (!parsed.success) throw new Error(parsed.error.issues.map(issueText).join("; "))
  const urls = [parsed.data.url, parsed.data.urlEnv, parsed.data.secretFile].filter((one) => one !== undefined)
  if (urls.length > 1) throw new Error("it has several of url, urlEnv and secretFile")
  return parsed.data
}

function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys")
    return `${issue.keys.map((key) => (/^[a-z]\w{0,39}$/i.test(key) ? key : "(a key that is not shown)")).join(", ")}: no such key`
  return `${issue.path.join(".")} ${issue.message}`
}

async function urlOf(given: Given, base: BaseUrl): Promise<DatabaseUrl> {
  const own = ownUrl(given)
  if (own === undefined && given.schema === undefined && given.database === undefined)
    throw new Error("it has none of url, urlEnv, secretFile, database and schema")
  const url = own === undefined ? await base() : parseDatabaseUrl(own)
  const there = given.database === undefined ? url : withDatabase(url, given.database)
  return given.schema === undefined ? there : withSchema(there, given.schema)
}

function ownUrl({ url, urlEnv, secretFile }: Given): string | undefined {
  if (url !== undefined) return url
  if (urlEnv !== undefined) {
    const value = process.env[urlEnv]
    if (!value) throw new Error(`the environment variable ${urlEnv} is not set`)
    return value
  }
  if (secretFile === undefined) return undefined
  try {
    return readFileSync(secretFile, "utf8").trim()
  } catch (error) {
    throw new Error(`secretFile cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function withSchema(url: DatabaseUrl, schema: string): DatabaseUrl {
  const changed = new URL(url.text)
  changed.searchParams.set("schema", schema)
  return parseDatabaseUrl(changed.href.replaceAll("+", "%20").replaceAll("'", "%27"))
}

function refuseDuplicates(found: readonly Found[]): void {
  const seen = new Map<string, string>()
  const problems = found.flatMap((one) => {
    const address = `the database ${shortName(one)} of ${one.url.host}:${one.url.port}`
    const identities = [
      { key: `address ${addressOf(one)}`, what: address },
      ...(one.given.name === undefined ? [] : [{ key: `name ${one.given.name}`, what: `the name ${one.given.name}` }]),
    ]
    const again = identities.find(({ key }) => seen.has(key))
    for (const { key } of identities) seen.set(key, seen.get(key) ?? one.place)
    return again === undefined ? [] : [`${one.place}: ${again.what} is that of ${seen.get(again.key)}`]
  })
  if (problems.length === 0) return
  throw new LockstepError(
    "L2003",
    `${counted(problems.length, "target")} ${problems.length === 1 ? "is" : "are"} listed twice`,
    {
      hint: shortened(problems.map(inLine)),
      state: "nothing was touched.",
      next: "list each database and schema once, each with a name of its own",
    },
  )
}

const shortName = ({ url }: Pick<Found, "url">): string =>
  url.schema === "public" ? url.database : `${url.database}/${url.schema}`

/** A target without a name is called by its database and schema, and where that is not unique by its server as well. */
function named(found: readonly Found[]): readonly FleetTarget[] {
  const uses = new Map<string, number>()
  for (const { given, url } of found) {
    const name = given.name ?? shortName({ url })
    uses.set(name, (uses.get(name) ?? 0) + 1)
  }
  return found.map(({ given, url }): FleetTarget => {
    const short = shortName({ url })
    const unique = uses.get(short) === 1 ? short : `${url.host}:${url.port}/${short}`
    const key = given.name ?? addressOf({ url })
    // As for one database: where this machine reaches the server, whatever host the list names.
    const reached = atAddress(url, process.env.LOCKSTEP_DATABASE_HOST)
    return { name: given.name ?? unique, key, url: reached, group: given.group, order: given.order ?? 0 }
  })
}
