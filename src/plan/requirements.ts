import type { Node } from "libpg-query"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { Observation } from "../scratch/observation.js"
import type { Snapshot } from "../scratch/snapshot.js"
import { constraintsOf } from "../sql/effects/table.js"
import { find, quoted, type RelationName, relationOf } from "../sql/tree.js"

/** What a statement requires of the rows that a table has. */
export interface Requirement {
  readonly table: RelationName
  readonly column: string
  readonly what: "no rows" | "no nulls"
}

/** New columns that are required and get no value, and columns that become required, as far as the SQL shows them. */
export function requirementsOf(node: Node): readonly Requirement[] {
  if (!("AlterTableStmt" in node)) return []
  const table = relationOf(node.AlterTableStmt.relation)
  if (table === undefined) return []
  return [...find(node.AlterTableStmt.cmds, "AlterTableCmd")].flatMap(
    ({ subtype, name, def }): readonly Requirement[] => {
      if (subtype === "AT_SetNotNull" && name !== undefined) return [{ table, column: name, what: "no nulls" }]
      if (subtype !== "AT_AddColumn" || def === undefined || !("ColumnDef" in def)) return []
      const kinds = constraintsOf(def.ColumnDef).map(({ contype }) => contype)
      const isFilled = ["CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"].some((kind) =>
        kinds.some((each) => each === kind),
      )
      const isRequired = kinds.some((kind) => kind === "CONSTR_NOTNULL" || kind === "CONSTR_PRIMARY")
      const column = def.ColumnDef.colname
      return isRequired && !isFilled && column !== undefined && !isSerial(def)
        ? [{ table, column, what: "no rows" }]
        : []
    },
  )
}

const isSerial = (def: Node): boolean =>
  [...find(def, "TypeName")].some(({ names }) => /serial/.test(JSON.stringify(names ?? [])))

/** A requirement of the table that has this oid on the scratch database. */
export interface ObservedRequirement extends Requirement {
  readonly oid: number
}

/** The same as it was observed: also what a domain, a function or a DO block requires. */
export function observedRequirements({ columns }: Observation, initial: Snapshot): readonly ObservedRequirement[] {
  return columns.flatMap(({ table: { oid }, number, before, after }): readonly ObservedRequirement[] => {
    const table = initial.relations.get(oid)
    if (table === undefined || !after.notNull) return []
    if (before === undefined) return after.filled ? [] : [{ oid, table, column: after.name, what: "no rows" }]
    const column = initial.columns.get(`${oid}.${number}`)?.name
    return column === undefined || before.notNull ? [] : [{ oid, table, column, what: "no nulls" }]
  })
}

/** How long the target may look for one row that breaks a requirement. */
const probeTimeout = "2s"

/**
 * Asks the target whether rows break a requirement, read-only and for a short time. Resolves to why the statement is
 * certain to fail, in words; undefined where it is not, or it took too long to find out.
 */
export async function brokenBy(client: Client, { table, column, what }: Requirement): Promise<string | undefined> {
  const where = what === "no nulls" ? ` WHERE ${quoteIdentifier(column)} IS NULL` : ""
  await client.query(
    `BEGIN READ ONLY; SET LOCAL lock_timeout = '500ms'; SET LOCAL statement_timeout = '${probeTimeout}'`,
  )
  try {
    const { rows } = await client.query<{ found: string }>(
      `SELECT EXISTS (SELECT FROM ${quoted(table)}${where}) AS found`,
    )
    if (rows[0]?.found !== "t") return undefined
  } catch {
    return undefined
  } finally {
    await client.query("ROLLBACK")
  }
  const shown = quoted({ name: table.name })
  const name = `${shown}.${quoteIdentifier(column)}`
  return what === "no nulls"
    ? `${name} holds nulls, and is made NOT NULL`
    : `${name} is required and has no default, and ${shown} has rows`
}
