import type { Node } from "libpg-query"
import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/sqlstate.js"
import type { Statement } from "../../sql/parse.js"
import { quoted, relationOf, relationOfList, relationOfObject } from "../../sql/tree.js"

/** What a statement leaves in the catalog once it is done. */
export interface Trace {
  /** Of the statement, 1-based. */
  readonly line: number
  readonly kind: "relation" | "type" | "column" | "constraint" | "enum value"
  /** Qualified and quoted as in the file. */
  readonly name: string
  /** A column's, constraint's or enum value's own name. */
  readonly part: string
  /** Whether the statement makes it or takes it away. */
  readonly leaves: "there" | "gone"
}

/** A trace, and whether the catalog shows that its statement is done. */
export interface FoundTrace extends Trace {
  readonly done: boolean
}

/** What the statements of a migration leave in the catalog, as far as it is named in the SQL. */
export function tracesOf(statements: readonly Statement[]): readonly Trace[] {
  return statements.flatMap(({ node, line }) => traces(node).map((trace) => ({ line, ...trace })))
}

type Found = Omit<Trace, "line">

const made = (kind: Trace["kind"], name: string | undefined, part = ""): readonly Found[] =>
  name === undefined ? [] : [{ kind, name, part, leaves: "there" }]

function traces(node: Node): readonly Found[] {
  if ("CreateStmt" in node) return made("relation", name(relationOf(node.CreateStmt.relation)))
  if ("CreateTableAsStmt" in node) return made("relation", name(relationOf(node.CreateTableAsStmt.into?.rel)))
  if ("ViewStmt" in node) return made("relation", name(relationOf(node.ViewStmt.view)))
  if ("CreateSeqStmt" in node) return made("relation", name(relationOf(node.CreateSeqStmt.sequence)))
  if ("IndexStmt" in node) {
    const { idxname, relation } = node.IndexStmt
    const table = relationOf(relation)
    return idxname === undefined || table === undefined ? [] : made("relation", quoted({ ...table, name: idxname }))
  }
  if ("CreateEnumStmt" in node) return made("type", name(relationOfList(node.CreateEnumStmt.typeName)))
  if ("CompositeTypeStmt" in node) return made("type", name(relationOf(node.CompositeTypeStmt.typevar)))
  if ("CreateDomainStmt" in node) return made("type", name(relationOfList(node.CreateDomainStmt.domainname)))
  if ("AlterEnumStmt" in node) {
    const { typeName, newVal } = node.AlterEnumStmt
    return newVal === undefined ? [] : made("enum value", name(relationOfList(typeName)), newVal)
  }
  if ("DropStmt" in node) return dropped(node)
  return "AlterTableStmt" in node ? altered(node) : []
}

const name = (relation: Parameters<typeof quoted>[0] | undefined): string | undefined => relation && quoted(relation)

function dropped({ DropStmt: { objects, removeType } }: Extract<Node, { DropStmt: unknown }>): readonly Found[] {
  const relations = ["OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"]
  if (!relations.includes(removeType ?? "")) return []
  return (objects ?? []).flatMap((object) => {
    const relation = relationOfObject(object)
    return relation ? [{ kind: "relation", name: quoted(relation), part: "", leaves: "gone" } as const] : []
  })
}

function altered({ AlterTableStmt: { relation, cmds } }: Extract<Node, { AlterTableStmt: unknown }>): readonly Found[] {
  const table = name(relationOf(relation))
  if (table === undefined) return []
  return (cmds ?? []).flatMap((command): readonly Found[] => {
    if (!("AlterTableCmd" in command)) return []
    const { subtype, name: part, def } = command.AlterTableCmd
    const gone = (kind: Trace["kind"]) => (part ? [{ kind, name: table, part, leaves: "gone" } as const] : [])
    if (subtype === "AT_DropColumn") return gone("column")
    if (subtype === "AT_DropConstraint") return gone("constraint")
    if (subtype === "AT_AddColumn" && def && "ColumnDef" in def) return made("column", table, def.ColumnDef.colname)
    const constraint = def && "Constraint" in def ? def.Constraint.conname : undefined
    return subtype === "AT_AddConstraint" && constraint ? made("constraint", table, constraint) : []
  })
}

const lookUp = `SELECT CASE kind
    WHEN 'relation' THEN to_regclass(name) IS NOT NULL
    WHEN 'type' THEN to_regtype(name) IS NOT NULL
    WHEN 'column' THEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(name) AND attname = part AND NOT attisdropped)
    WHEN 'constraint' THEN EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(name) AND conname = part)
    ELSE EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype(name) AND enumlabel = part)
  END AS there FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS trace (kind, name, part, number) ORDER BY number`

/** Looks the traces up in the catalog, in one query. */
export async function findTraces(client: Client, wanted: readonly Trace[]): Promise<readonly FoundTrace[]> {
  const columns = [wanted.map(({ kind }) => kind), wanted.map((each) => each.name), wanted.map(({ part }) => part)]
  const { rows } = await client.query<{ there: string }>(lookUp, columns)
  return wanted.map((trace, index) => ({ ...trace, done: (rows[index]?.there === "t") === (trace.leaves === "there") }))
}

/** A trace in words: column "Order"."total". */
export function traceText({ kind, name, part, leaves }: Trace): string {
  const what =
    kind === "relation" ? name : kind === "type" ? `type ${name}` : `${kind} ${name}.${quoteIdentifier(part)}`
  return leaves === "there" ? what : `${what} dropped`
}
