import { quoteIdentifier, quoteLiteral } from "../../postgres/quote.js"
import type { Column, EnumType, Structure, Table } from "../../postgres/structure.js"

/** A change of a name alone. What it is in is named as it is after the renames before it. */
export type Rename =
  | { readonly kind: "enum" | "table"; readonly schema: string; readonly from: string; readonly to: string }
  | (Inside & { readonly kind: "enum value"; readonly enum: string })
  | (Inside & { readonly kind: "column" | "constraint"; readonly table: string })
  | (Inside & { readonly kind: "index" | "sequence" })

interface Inside {
  readonly schema: string
  readonly from: string
  readonly to: string
}

/** How a name is written: with its schema where that is not the one of the URL. */
export type Naming = (schema: string, name: string) => string

/** Names of this schema need no qualifier: it is the search path, as Prisma writes migrations. */
export const namingFor =
  (urlSchema: string): Naming =>
  (schema, name) =>
    schema === urlSchema ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`

/** The statement that makes a rename. */
export function renameStatement(rename: Rename, named: Naming): string {
  const { schema, from, to } = rename
  const quotedTo = quoteIdentifier(to)
  switch (rename.kind) {
    case "enum":
      return `ALTER TYPE ${named(schema, from)} RENAME TO ${quotedTo};`
    case "enum value":
      return `ALTER TYPE ${named(schema, rename.enum)} RENAME VALUE ${quoteLiteral(from)} TO ${quoteLiteral(to)};`
    case "table":
    case "index":
    case "sequence":
      return `ALTER ${rename.kind.toUpperCase()} ${named(schema, from)} RENAME TO ${quotedTo};`
    case "column":
    case "constraint":
      return `ALTER TABLE ${named(schema, rename.table)} RENAME ${rename.kind.toUpperCase()} ${quoteIdentifier(from)} TO ${quotedTo};`
  }
}

/** The thing in words, as SQL: `"User"."name"`, `value 'USER' of "Role"`. */
export function thingText(rename: Rename, name: string, named: Naming): string {
  const { schema } = rename
  switch (rename.kind) {
    case "enum":
      return `enum ${named(schema, name)}`
    case "enum value":
      return `value ${quoteLiteral(name)} of ${named(schema, rename.enum)}`
    case "table":
      return `table ${named(schema, name)}`
    case "column":
    case "constraint":
      return `${named(schema, rename.table)}.${quoteIdentifier(name)}`
    default:
      return `${rename.kind} ${named(schema, name)}`
  }
}

/**
 * In an order in which no name is taken when it is given: where names are exchanged, one of them gets another name
 * meanwhile. Renames of different scopes (a table's columns, a schema's tables) stay in their order.
 */
export function inPossibleOrder(renames: readonly Rename[]): readonly Rename[] {
  const waiting = [...renames]
  const ordered: Rename[] = []
  while (waiting.length > 0) {
    const free = waiting.findIndex(
      ({ to }, at) => !waiting.some((other, i) => i !== at && isIn(other, waiting[at]) && other.from === to),
    )
    const [next] = waiting.splice(Math.max(free, 0), 1)
    if (next === undefined) break
    if (free >= 0) ordered.push(next)
    else {
      const meanwhile = `${next.from.slice(0, 40)}_lockstep_renamed`
      ordered.push({ ...next, to: meanwhile })
      waiting.push({ ...next, from: meanwhile })
    }
  }
  return ordered
}

/** Whether two renames are of names that may not be the same. */
function isIn(one: Rename, other: Rename | undefined): boolean {
  if (one.kind !== other?.kind || one.schema !== other.schema) return false
  if ("table" in one) return "table" in other && one.table === other.table
  return !("enum" in one) || ("enum" in other && one.enum === other.enum)
}

/** The structure with other names. */
export const renamed = (structure: Structure, renames: readonly Rename[]): Structure =>
  inPossibleOrder(renames).reduce(apply, structure)

function apply(structure: Structure, rename: Rename): Structure {
  const { schema, from, to } = rename
  const { tables, enums } = structure
  const name = <T extends { readonly name: string }>(each: T): T => (each.name === from ? { ...each, name: to } : each)
  switch (rename.kind) {
    case "enum":
      return {
        tables: tables.map((table) => ({ ...table, columns: table.columns.map((column) => retyped(column, rename)) })),
        enums: enums.map((each) => (each.schema === schema ? name(each) : each)),
      }
    case "enum value": {
      const within = (each: EnumType) => each.schema === schema && each.name === rename.enum
      return { tables, enums: enums.map((each) => (within(each) ? { ...each, values: each.values.map(name) } : each)) }
    }
    case "table":
      return { enums, tables: tables.map((table) => referring(table.schema === schema ? name(table) : table, rename)) }
    case "column": {
      const within = (table: Table) => table.schema === schema && table.name === rename.table
      const other = (column: string) => (column === from ? to : column)
      return {
        enums,
        tables: tables.map((table) => {
          if (!within(table)) return table
          const parts = table.parts.map((part) => ({ ...part, columns: part.columns.map(other) }))
          return { ...table, columns: table.columns.map(name), parts }
        }),
      }
    }
    default:
      return { enums, tables: tables.map((table) => ({ ...table, parts: table.parts.map(name) })) }
  }
}

function retyped(column: Column, { schema, from, to }: Rename): Column {
  const isMeant = column.enum?.schema === schema && column.enum.name === from
  return isMeant ? { ...column, enum: { schema, name: to } } : column
}

function referring(table: Table, { schema, from, to }: Rename): Table {
  const columns = table.columns.map((column) => {
    const isMeant = column.references?.schema === schema && column.references.name === from
    return isMeant ? { ...column, references: { schema, name: to } } : column
  })
  return { ...table, columns }
}
