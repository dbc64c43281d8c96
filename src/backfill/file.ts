import { readdirSync } from "node:fs"
import { join, relative } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { byName, checksumOf, readRegularFile } from "../history/folder.js"
import { parseScript } from "../sql/parse.js"
import { excerpt } from "../sql/place.js"
import { statementOf, type WalkedStatement } from "./statement.js"

/** A backfill as its folder holds it: one statement in a file. */
export interface BackfillFile {
  /** The file's name without .sql. */
  readonly name: string
  /** For people: the file's path from where they are. */
  readonly file: string
  readonly text: string
  /** sha256 in hexadecimal, line ends of either kind being the same. */
  readonly checksum: string
}

/** A backfill that is ready to be run. */
export interface Backfill extends BackfillFile {
  /** The migration that has to be applied before. */
  readonly after: string | undefined
  /** How many rows a batch may have at most, where the file says so. */
  readonly batch: number | undefined
  readonly statement: WalkedStatement
}

/**
 * The backfills of a folder, in the order of their names; none where there is no such folder.
 * Errors: L2101 the folder or a file cannot be read.
 */
export function readBackfills(dir: string): readonly BackfillFile[] {
  try {
    const names = readdirSync(dir).flatMap((name) => (name.endsWith(".sql") ? [name.slice(0, -4)] : []))
    return names.sort(byName).map((name) => {
      const path = join(dir, `${name}.sql`)
      const text = readRegularFile(path).replace(/^\uFEFF/, "")
      return { name, file: relative(process.cwd(), path), text, checksum: checksumOf(text.replaceAll("\r\n", "\n")) }
    })
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw new LockstepError("L2101", `the backfills in ${relative(process.cwd(), dir)} cannot be read`, {
      hint: cause instanceof Error ? cause.message : undefined,
      ...{ state: nothing, next: "correct the permissions", cause },
    })
  }
}

const nothing = "nothing was touched."

/**
 * Those that are named, in the folder's order; all of them where none is. The beginning of a name is enough, if it fits no
 * other. Errors: L2102 no such backfill, or several.
 */
export function chooseBackfills(all: readonly BackfillFile[], names: readonly string[]): readonly BackfillFile[] {
  if (names.length === 0) return all
  const chosen = names.map((given) => {
    const name = given.replace(/^.*\//, "").replace(/\.sql$/, "")
    const exact = all.filter((one) => one.name === name)
    const found = exact.length > 0 ? exact : all.filter((one) => one.name.startsWith(name))
    const [only, ...others] = found
    if (only !== undefined && others.length === 0) return only
    const listed = (found.length > 0 ? found : all).slice(0, 10).map((one) => one.name)
    throw new LockstepError(
      "L2102",
      `${given} is ${found.length > 0 ? "the beginning of several backfills" : "no backfill"}`,
      {
        hint:
          listed.length === 0
            ? "There are no backfills: files in the folder backfills beside the migrations."
            : listed.join("\n"),
        ...{ state: nothing, next: "`lockstep backfill --list`" },
      },
    )
  })
  return all.filter((one) => chosen.includes(one))
}

const directives = z.strictObject({
  after: z.optional(z.string().check(z.regex(/^\S+$/, "is not the name of a migration"))),
  batch: z.optional(
    z.pipe(z.string().check(z.regex(/^[1-9]\d{0,8}$/, "is not a number of rows, 1 or more")), z.transform(Number)),
  ),
  table: z.optional(z.string().check(z.minLength(1, "names no table"))),
})

const directive = /^\s*--\s*lockstep-([\w-]+)\s*(?::\s*(.*?))?\s*$/

/**
 * Parses a backfill: the directives in the comments before its statement, `-- lockstep-after: MIGRATION`,
 * `-- lockstep-batch: ROWS` and `-- lockstep-table: TABLE`, and the statement. Errors: L2101, with the place.
 */
export async function parseBackfill(one: BackfillFile): Promise<Backfill> {
  const known = parsed.get(one) ?? parse(one)
  parsed.set(one, known)
  return await known
}

/** A fleet's files are parsed once. */
const parsed = new WeakMap<BackfillFile, Promise<Backfill>>()

async function parse(one: BackfillFile): Promise<Backfill> {
  const { text } = one
  const script = await parseScript(text)
  if (script.kind === "unparsed") throw unusable(one, script.message, script)
  const [first, second] = script.statements
  if (first === undefined) throw unusable(one, "the file holds no statement", { line: 1, column: 1 })
  if (second !== undefined) throw unusable(one, "the file holds more than one statement", second)
  const given = new Map<string, { readonly value: string; readonly line: number }>()
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const [, key, value = ""] = directive.exec(line) ?? []
    if (key === undefined) continue
    const place = { line: index + 1, column: 1 }
    if (index + 1 > first.line) throw unusable(one, `lockstep-${key} stands after the statement begins`, place)
    if (given.has(key)) throw unusable(one, `lockstep-${key} is given twice`, place)
    given.set(key, { value, line: index + 1 })
  }
  const checked = z.safeParse(directives, Object.fromEntries([...given].map(([key, { value }]) => [key, value])))
  if (!checked.success) {
    const [issue] = checked.error.issues
    const key = issue?.code === "unrecognized_keys" ? (issue.keys[0] ?? "") : String(issue?.path[0] ?? "")
    const problem =
      issue?.code === "unrecognized_keys" ? "is no directive of a backfill (after, batch, table)" : issue?.message
    throw unusable(one, `lockstep-${key} ${problem}`, { line: given.get(key)?.line ?? 1, column: 1 })
  }
  const { after, batch, table } = checked.data
  const statement = await statementOf(first, table)
  if ("problem" in statement) throw unusable(one, statement.problem, first)
  return { ...one, after, batch, statement }
}

interface Where {
  readonly line: number
  readonly column: number
}

/** L2101 with the place in the file. */
const unusable = ({ name, file, text }: BackfillFile, problem: string, { line, column }: Where): LockstepError =>
  new LockstepError("L2101", `the backfill ${name} cannot be used: ${problem}`, {
    ...{ file, line, column, excerpt: excerpt(text, line, column) },
    hint: "A backfill is one UPDATE, DELETE or INSERT … SELECT that Lockstep can run for one range of a table's rows after another.",
    ...{ state: nothing, next: "correct the file; docs/backfill.md describes what a backfill may be" },
  })
