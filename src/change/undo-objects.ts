import type { CatalogDifference, CatalogObject } from "../postgres/catalog.js"
import { loadParser, type Parser } from "../sql/parser.js"
import type { UndoCost } from "./undo-loss.js"

type Kind = CatalogObject["kind"]

/** What hinders changes of tables, and so goes before them. */
const goesFirst: readonly Kind[] = ["trigger", "policy", "rule", "view", "materialized view"]
/** What the schema engine neither makes nor drops by itself. */
const unseen: readonly Kind[] = [
  ...goesFirst,
  "constraint",
  "index",
  "function",
  "sequence",
  "domain",
  "type",
  "extension",
]

/**
 * The statements that drop what would hinder the engine's SQL, newest first. What belongs to a table that goes
 * altogether goes with it. `later` and `earlier`: what only the state to leave has, and what only the goal has.
 */
export function dropsBefore({ onlyFirst: later, onlySecond: earlier }: CatalogDifference): readonly string[] {
  const kept = new Set(earlier.filter(({ kind }) => kind === "table").map(({ name }) => name))
  const going = later.filter(({ kind, name }) => kind === "table" && !kept.has(name)).map(({ name }) => `${name}.`)
  return later
    .filter(({ kind, name }) => goesFirst.includes(kind) && !going.some((table) => name.startsWith(table)))
    .toReversed()
    .flatMap(({ drop }) => (drop ? [drop] : []))
}

/** The statements that still lead to the goal after the engine's SQL: drops newest first, then creations oldest first. */
export function changesAfter({ onlyFirst: later, onlySecond: earlier }: CatalogDifference): readonly string[] {
  const replaced = new Set(earlier.filter(({ kind }) => kind === "function").map(({ name }) => name))
  const drops = later.filter(({ kind, name }) => unseen.includes(kind) && !(kind === "function" && replaced.has(name)))
  const creations = earlier.filter(({ kind }) => unseen.includes(kind))
  return [...drops.toReversed().map(({ drop }) => drop), ...creations.map(({ create }) => create)].filter(Boolean)
}

/** The objects that differ still, each once, as words. */
export function leftOver({ onlyFirst, onlySecond }: CatalogDifference): readonly string[] {
  const words = ({ kind, name }: CatalogObject): string => `${kind} ${name}`
  return [...new Set([...onlyFirst, ...onlySecond].map(words))].sort()
}

/** What goes into an undo's file. */
export interface UndoText extends UndoCost {
  /** The names of the migrations that it takes back, oldest first. */
  readonly undoes: readonly string[]
  /** Objects for which no SQL could be made. */
  readonly byHand: readonly string[]
  readonly sql: string
}

/** The file: a head of comments that says what it does and what it cannot do, then the SQL. */
export function undoText({ undoes, losses, conditions, byHand, sql }: UndoText): string {
  const head = [
    `Undo: the schema goes back to what it was before ${undoes[0]}.`,
    ...(undoes.length > 1 ? ["It takes back:", ...undoes.map(indented)] : []),
    ...(byHand.length === 0 ? ["Up, undo and up again gave equal schemas on a shadow database."] : []),
    ...section("Data that does not come back:", losses),
    ...section("It works only where the data allows it:", conditions),
    ...section("TO BE FINISHED BY HAND, and then tried; these are not yet as they were before:", byHand),
  ]
  return `${head.map((line) => `-- ${line}`.trimEnd()).join("\n")}\n\n${sql.trim()}\n`
}

const indented = (line: string): string => `  ${line}`
const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ["", title, ...lines.map(indented)]

/**
 * The SQL without the schema's name before its objects, as Prisma writes migrations: the search path finds them, and
 * another `?schema=` may be used elsewhere. Texts and function bodies stay as they are.
 */
export async function unqualified(sql: string, schema: string): Promise<string> {
  const tokens = scanned(await loadParser(), sql)
  const bytes = Buffer.from(sql)
  const at = ({ start, end }: { start: number; end: number }): string => bytes.subarray(start, end).toString()
  const names = new Set([schema, `"${schema.replaceAll('"', '""')}"`])
  const qualifiers = tokens.flatMap((token, index) => {
    const dot = tokens[index + 1]
    const named = token.tokenName === "IDENT" && names.has(at(token)) && dot?.start === token.end && at(dot) === "."
    return named ? [{ from: token.start, to: dot.end }] : []
  })
  const kept = qualifiers.map(({ to }, index) => bytes.subarray(to, qualifiers[index + 1]?.from))
  return Buffer.concat([bytes.subarray(0, qualifiers[0]?.from), ...kept]).toString()
}

/** The tokens; none where the scanner stumbles, as over a control character: the SQL then stays qualified. */
function scanned(parser: Parser, sql: string): ReturnType<Parser["scan"]> {
  try {
    return parser.scan(sql)
  } catch {
    return []
  }
}
