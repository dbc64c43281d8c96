import type { CatalogDifference, CatalogObject } from "../postgres/catalog.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { Structure } from "../postgres/structure.js"
import type { Step } from "../scratch/replay.js"
import { type Effect, effects } from "../sql/effects.js"
import { parseScript } from "../sql/parse.js"
import { loadParser, type Parser } from "../sql/parser.js"
import { quoted } from "../sql/tree.js"
import { castLosses } from "./renames/undone.js"

/** What goes into an undo's file. */
interface UndoText extends UndoCost {
  /** The names of the migrations that it takes back, oldest first. */
  readonly undoes: readonly string[]
  /** What no SQL can be generated for. */
  readonly byHand: readonly string[]
  readonly sql: string
}

/** The file: a head of comments about what it does and what it cannot do, then the SQL. */
export function undoText({ undoes, losses, conditions, byHand, sql }: UndoText): string {
  const head = [
    `Undo: the schema goes back to what it was before ${undoes[0]}.`,
    ...(undoes.length > 1 ? ["It takes back:", ...undoes.map(indented)] : []),
    ...(byHand.length === 0 ? ["Verified on a scratch database: up, undo and up again give the same schemas."] : []),
    ...section("Data that does not come back:", losses),
    ...section("It works only where the data allows it:", conditions),
    ...section("TO BE COMPLETED BY HAND and then tested; not yet as before:", byHand),
  ]
  return `${head.map((line) => `-- ${line}`.trimEnd()).join("\n")}\n\n${sql.trim()}\n`
}

const indented = (line: string): string => `  ${line}`
const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ["", title, ...lines.map(indented)]

/** The migrations that a file of undoText's takes back; none for every other file. */
export function undoneBy(sql: string): readonly string[] {
  const [, first, several] =
    /^-- Undo: the schema goes back to what it was before (.+)\.\n(?:-- It takes back:\n((?:-- {3}.+\n)+))?/.exec(
      sql,
    ) ?? []
  if (first === undefined) return []
  return several === undefined
    ? [first]
    : several
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/^-- {3}/, ""))
}

/** What an undo costs, in plain words. */
export interface UndoCost {
  /** Data that is lost, or was lost before and does not come back. */
  readonly losses: readonly string[]
  /** What fails with some data. */
  readonly conditions: readonly string[]
}

/** What the undone migrations were applied to, and what they made of it; the schema of the URL. */
interface Undone {
  readonly before: Structure
  readonly now: Structure
  readonly schema: string
}

/** Reads an undo's SQL and the migrations that it takes back, and compares the types of columns. */
export async function undoCost(sql: string, undone: readonly Step[], structures: Undone): Promise<UndoCost> {
  const effectsOfUndo = await effectsOf(sql)
  const before = await Promise.all(
    undone.map(async ({ name, sql }) => (await effectsOf(sql)).flatMap(lostBy).map((what) => `${what} (${name})`)),
  )
  const by = undone.some(({ sql }) => /using/i.test(sql)) ? "explicit cast" : "assignment"
  const casts = castLosses(structures, by, structures.schema)
  return {
    losses: unique([...effectsOfUndo.flatMap(({ destroys }) => destroys ?? []), ...before.flat(), ...casts]),
    conditions: unique([...effectsOfUndo.flatMap(condition), ...(await narrowedEnums(sql))]),
  }
}

/** The data that a migration which is taken back has destroyed. */
function lostBy({ rule, destroys, table }: Effect): readonly string[] {
  if (destroys) return [`${destroys} comes back without its data`]
  const overwrites = rule === "update-all" || rule === "update-some" || rule === "merge"
  return overwrites && table ? [`the values that an UPDATE of ${quoted(table)} overwrote`] : []
}

function condition({ rule, table }: Effect): readonly string[] {
  const name = table ? quoted(table) : "the table"
  switch (rule) {
    case "add-column-not-null":
      return [`a required column is added to ${name}: only where it has no rows`]
    case "set-not-null":
      return [`a column of ${name} becomes required: only where no row lacks it`]
    case "alter-column-type":
      return [`a column of ${name} changes its type: only where every value can be read as the new one`]
    default:
      return []
  }
}

/** The engine takes values out of an enum by making a new type and casting to it. */
async function narrowedEnums(sql: string): Promise<readonly string[]> {
  const script = await parseScript(sql)
  if (script.kind === "unparsed") return []
  return script.statements.flatMap(({ node }) =>
    "CreateEnumStmt" in node ? ["values are taken out of an enum: only where no row uses them"] : [],
  )
}

async function effectsOf(sql: string): Promise<readonly Effect[]> {
  const script = await parseScript(sql)
  return script.kind === "unparsed" ? [] : script.statements.flatMap(({ node }) => effects(node))
}

const unique = (lines: readonly string[]): readonly string[] => [...new Set(lines)]

/**
 * The SQL without the schema's name before its objects, as Prisma writes migrations: the search path finds them, and
 * another `?schema=` may be used elsewhere. Strings and function bodies stay as they are.
 */
export async function unqualified(sql: string, schema: string): Promise<string> {
  const tokens = scanned(await loadParser(), sql)
  const bytes = Buffer.from(sql)
  const at = ({ start, end }: { start: number; end: number }): string => bytes.subarray(start, end).toString()
  const names = new Set([schema, quoteIdentifier(schema)])
  const qualifiers = tokens.flatMap((token, index) => {
    const dot = tokens[index + 1]
    const named = token.tokenName === "IDENT" && names.has(at(token)) && dot?.start === token.end && at(dot) === "."
    return named ? [{ from: token.start, to: dot.end }] : []
  })
  const kept = qualifiers.map(({ to }, index) => bytes.subarray(to, qualifiers[index + 1]?.from))
  return Buffer.concat([bytes.subarray(0, qualifiers[0]?.from), ...kept]).toString()
}

/** The tokens; none where the scanner fails, as on a control character: the SQL then stays qualified. */
function scanned(parser: Parser, sql: string): ReturnType<Parser["scan"]> {
  try {
    return parser.scan(sql)
  } catch {
    return []
  }
}

type Kind = CatalogObject["kind"]

/** What may prevent a change of a table, and so is dropped before. */
const droppedFirst: readonly Kind[] = ["trigger", "policy", "rule", "view", "materialized view"]
/** What the schema engine neither creates nor drops by itself. */
const unseen: readonly Kind[] = [
  ...droppedFirst,
  "constraint",
  "index",
  "function",
  "sequence",
  "domain",
  "type",
  "extension",
]

/**
 * The statements that drop what could prevent the engine's SQL, newest first. What belongs to a table that is dropped
 * needs no statement of its own. `current` and `goal`: what only the state to leave has, and what only the goal has.
 */
export function dropsBefore({ onlyFirst: current, onlySecond: goal }: CatalogDifference): readonly string[] {
  const keptTables = new Set(goal.filter(({ kind }) => kind === "table").map(({ name }) => name))
  const droppedTables = current
    .filter(({ kind, name }) => kind === "table" && !keptTables.has(name))
    .map(({ name }) => `${name}.`)
  return current
    .filter(({ kind, name }) => droppedFirst.includes(kind) && !droppedTables.some((table) => name.startsWith(table)))
    .toReversed()
    .flatMap(({ drop }) => (drop ? [drop] : []))
}

/** The statements that lead to the goal after the engine's SQL: drops newest first, then creations oldest first. */
export function changesAfter({ onlyFirst: current, onlySecond: goal }: CatalogDifference): readonly string[] {
  const replaced = new Set(goal.filter(({ kind }) => kind === "function").map(({ name }) => name))
  const drops = current.filter(
    ({ kind, name }) => unseen.includes(kind) && !(kind === "function" && replaced.has(name)),
  )
  const creations = goal.filter(({ kind }) => unseen.includes(kind))
  return [...drops.toReversed().map(({ drop }) => drop), ...creations.map(({ create }) => create)].filter(Boolean)
}

/** The objects that still differ, each once: "policy public.t.own". */
export function differingObjects({ onlyFirst, onlySecond }: CatalogDifference): readonly string[] {
  const objects = [...onlyFirst, ...onlySecond].map(({ kind, name }) => `${kind} ${name}`)
  return [...new Set(objects)].sort()
}
