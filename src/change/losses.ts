import { quoteIdentifier } from "../postgres/quote.js"
import type { Structure, Table } from "../postgres/structure.js"
import { lossOf } from "../sql/casts.js"
import { effects } from "../sql/effects.js"
import type { Statement } from "../sql/parse.js"
import { quoted, type RelationName } from "../sql/tree.js"
import { printedType, type TypeChange, typeChanges } from "../sql/types.js"
import type { Gone } from "./renames/candidates.js"
import type { Naming } from "./renames/rename.js"

/** Data that is gone after a script, whatever rows there are. */
export interface Loss {
  /** In words, such as `column "Order"."legacyTotal"`. */
  readonly what: string
  /** Where the values are before the script, to count them. */
  readonly table?: RelationName
  /** Absent: the whole rows. */
  readonly column?: string
  /** A value of an enum, which no statement names. */
  readonly value?: { readonly enum: string; readonly name: string }
}

/** What a script loses in tables that exist before it. `schema`: where names without one are. */
export function lossesOf(statements: readonly Statement[], before: Structure, schema: string): readonly Loss[] {
  const find = tableIn(before, schema)
  const made = new Set(statements.flatMap(({ node }) => createdEnum(node)))
  return statements.flatMap(({ node }) => [
    ...effects(node).flatMap(({ rule, destroys, table, column }): readonly Loss[] => {
      if (destroys === undefined || (table !== undefined && find(table) === undefined)) return []
      return [{ what: destroys, ...(table && { table }), ...(rule === "drop-column" && column ? { column } : {}) }]
    }),
    ...typeChanges(node).flatMap((change) => castLoss(change, find(change.table), made)),
  ])
}

const tableIn =
  ({ tables }: Structure, urlSchema: string) =>
  ({ schema = urlSchema, name }: RelationName): Table | undefined =>
    tables.find((table) => table.schema === schema && table.name === name)

/** Prisma's engine takes values out of an enum by a new one, to which it casts by the text: that fails, it loses nothing. */
function createdEnum(node: Statement["node"]): readonly string[] {
  if (!("CreateEnumStmt" in node)) return []
  const name = node.CreateEnumStmt.typeName?.at(-1)
  return name && "String" in name ? [name.String.sval ?? ""] : []
}

function castLoss(
  { table, column, to, by }: TypeChange,
  found: Table | undefined,
  enums: ReadonlySet<string>,
): readonly Loss[] {
  const before = found?.columns.find(({ name }) => name === column)
  if (before === undefined || enums.has(to.replace(/\[\]$/, "").replaceAll('"', ""))) return []
  const loses = lossOf(before.type, to, by)
  if (loses === undefined) return []
  const what = `${quoted(table)}.${quoteIdentifier(column)} from ${before.type} to ${printedType(to)}: ${loses}`
  return [{ what, table, column }]
}

/** Values that an enum has no more: no row loses anything, but one that uses such a value makes the migration fail. */
export function goneValues(before: Structure, goal: Structure, named: Naming): readonly Loss[] {
  return before.enums.flatMap(({ schema, name, values }) => {
    const now = goal.enums.find((each) => each.schema === schema && each.name === name)
    const gone = now === undefined ? [] : values.filter((one) => !now.values.some((other) => other.name === one.name))
    return gone.map((value) => ({
      what: `value ${value.name} of ${named(schema, name)}: it fails where a row has it`,
      value: { enum: name, name: value.name },
    }))
  })
}

/** Whether it is the loss of a thing about which somebody was asked. */
export function isLossOf({ table, column, value }: Loss, { kind, parent, name }: Gone): boolean {
  switch (kind) {
    case "table":
      return table?.name === name && column === undefined
    case "column":
      return table?.name === parent && column === name
    case "enum value":
      return value?.enum === parent && value?.name === name
    default:
      return false
  }
}
