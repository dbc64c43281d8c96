import type { Node, TypeName } from "libpg-query"
import { quoteIdentifier } from "../postgres/quote.js"
import type { CastBy } from "./casts/cast.js"
import { identifiers, type RelationName, relationOf } from "./tree.js"

/** A type as PostgreSQL's format_type prints it, taken apart. */
export interface Type {
  /** format_type's name without modifiers: "numeric", "timestamp with time zone"; a user's type as it is written. */
  readonly name: string
  /** numeric(10,4) has 10 and 4; empty where there are none. */
  readonly modifiers: readonly number[]
  readonly isArray: boolean
}

/** Other spellings of PostgreSQL's types. Source: PostgreSQL's documentation, table "Data Types", and pg_type. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["int2", "smallint"],
  ["smallserial", "smallint"],
  ["int", "integer"],
  ["int4", "integer"],
  ["serial", "integer"],
  ["int8", "bigint"],
  ["bigserial", "bigint"],
  ["decimal", "numeric"],
  ["float4", "real"],
  ["float8", "double precision"],
  ["float", "double precision"],
  ["bool", "boolean"],
  ["varchar", "character varying"],
  ["char", "character"],
  ["varbit", "bit varying"],
  ["timestamp", "timestamp without time zone"],
  ["timestamptz", "timestamp with time zone"],
  ["time", "time without time zone"],
  ["timetz", "time with time zone"],
])

/** A type's text, as format_type prints it or as SQL spells it: `numeric(10,4)`, `VARCHAR(10)[]`, `timestamp(3)`. */
export function parseType(text: string): Type {
  const [, body = "", bounds = ""] = /^(.*?)\s*((?:\[\d*\]\s*)*)$/s.exec(text.trim()) ?? []
  const isArray = bounds !== ""
  if (body.includes('"')) return { name: body, modifiers: [], isArray }
  const [, before = "", inside, after = ""] = /^([^(]*)(?:\(([^)]*)\))?(.*)$/s.exec(body) ?? []
  const spelled = `${before} ${after}`.trim().replaceAll(/\s+/g, " ").toLowerCase()
  const name = spelled.replace(/^pg_catalog\./, "")
  const modifiers = inside === undefined ? [] : inside.split(",").map(Number)
  return normal({ name: aliases.get(name) ?? name, modifiers, isArray })
}

/** A type as format_type prints it, however it was spelled. */
export function printedType(text: string): string {
  const { name, modifiers, isArray } = parseType(text)
  const inside = modifiers.length > 0 ? `(${modifiers.join(",")})` : ""
  const [, first, rest = ""] = /^(time|timestamp)( .*)$/.exec(name) ?? [name, name]
  return `${first}${inside}${rest}${isArray ? "[]" : ""}`
}

/** CHARACTER without a length has one of 1, and NUMERIC(10) has no decimals. */
function normal(type: Type): Type {
  const [first, ...others] = type.modifiers
  if (type.name === "character" && first === undefined) return { ...type, modifiers: [1] }
  if (type.name === "bpchar") return { ...type, name: "character" }
  if (type.name === "numeric" && first !== undefined && others.length === 0) return { ...type, modifiers: [first, 0] }
  return type
}

/** What format_type prints without quotes. */
const plain = /^[a-z_][a-z_0-9]*$/

/** The type that a statement names, as text that `parseType` reads. */
function typeText({ names, typmods, arrayBounds }: TypeName): string {
  const parts = identifiers(names)
  const isBuiltIn = parts.length === 1 || parts[0] === "pg_catalog"
  const last = parts.at(-1) ?? ""
  const name = (isBuiltIn ? [last] : parts).map((part) => (plain.test(part) ? part : quoteIdentifier(part))).join(".")
  const numbers = (typmods ?? []).flatMap((each) =>
    "A_Const" in each && each.A_Const.ival !== undefined ? [each.A_Const.ival.ival ?? 0] : [],
  )
  // INTERVAL(3) is parsed to its fields, a mask, and then the precision.
  const modifiers = last === "interval" ? numbers.slice(1) : numbers
  return `${name}${modifiers.length > 0 ? `(${modifiers.join(",")})` : ""}${arrayBounds === undefined ? "" : "[]"}`
}

/** ALTER COLUMN TYPE: a column and the type that it gets. */
export interface TypeChange {
  readonly table: RelationName
  readonly column: string
  readonly to: string
  /** With USING the SQL says how, which is taken to be an explicit cast. */
  readonly by: CastBy
}

/** The columns whose type a statement changes. What they were before is in the catalog. */
export function typeChanges(node: Node): readonly TypeChange[] {
  const statement = "AlterTableStmt" in node ? node.AlterTableStmt : undefined
  const table = relationOf(statement?.relation)
  if (table === undefined) return []
  return (statement?.cmds ?? []).flatMap((each) => {
    if (!("AlterTableCmd" in each) || each.AlterTableCmd.subtype !== "AT_AlterColumnType") return []
    const { name: column, def } = each.AlterTableCmd
    const definition = def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined
    if (column === undefined || definition?.typeName === undefined) return []
    const by = definition.raw_default === undefined ? "assignment" : "explicit cast"
    return [{ table, column, to: typeText(definition.typeName), by }]
  })
}
