import type { Node } from "libpg-query"
import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import type { Statement } from "../../sql/parse.js"
import { quoted, relationOf, relationOfList, relationOfObject } from "../../sql/tree.js"

/** What a statement changes in the catalog, by which the database shows whether it is done. */
interface CatalogChange {
  /** Of the statement, 1-based. */
  readonly line: number
  readonly kind: "relation" | "type" | "column" | "constraint" | "enum value"
  /** Qualified and quoted as in the file. */
  readonly name: string
  /** A column's, constraint's or enum value's own name. */
  readonly part: string
  /** Whether it exists once the statement is done. */
  readonly after: "exists" | "dropped"
}

/** A change, and whether the catalog shows that it was made. */
export interface CheckedChange extends CatalogChange {
  readonly done: boolean
}

/** What the statements of a migration change in the catalog, as far as the SQL names it. */
export function catalogChanges(statements: readonly Statement[]): readonly CatalogChange[] {
  return statements.flatMap(({ node, line }) => changes(node).map((change) => ({ line, ...change })))
}

type Change = Omit<CatalogChange, "line">

const created = (kind: Change["kind"], name: string | undefined, part = ""): readonly Change[] =>
  name === undefined ? [] : [{ kind, name, part, after: "exists" }]

function changes(node: Node): readonly Change[] {
  if ("CreateStmt" in node) return created("relation", name(relationOf(node.CreateStmt.relation)))
  if ("CreateTableAsStmt" in node) return created("relation", name(relationOf(node.CreateTableAsStmt.into?.rel)))
  if ("ViewStmt" in node) return created("relation", name(relationOf(node.ViewStmt.view)))
  if ("CreateSeqStmt" in node) return created("relation", name(relationOf(node.CreateSeqStmt.sequence)))
  if ("IndexStmt" in node) {
    const { idxname, relation } = node.IndexStmt
    const table = relationOf(relation)
    return idxname === undefined || table === undefined ? [] : created("relation", quoted({ ...table, name: idxname }))
  }
  if ("CreateEnumStmt" in node) return created("type", name(relationOfList(node.CreateEnumStmt.typeName)))
  if ("CompositeTypeStmt" in node) return created("type", name(relationOf(node.CompositeTypeStmt.typevar)))
  if ("CreateDomainStmt" in node) return created("type", name(relationOfList(node.CreateDomainStmt.domainname)))
  if ("AlterEnumStmt" in node) {
    const { typeName, newVal } = node.AlterEnumStmt
    return newVal === undefined ? [] : created("enum value", name(relationOfList(typeName)), newVal)
  }
  if ("DropStmt" in node) return dropped(node)
  return "AlterTableStmt" in node ? altered(node) : []
}

const name = (relation: Parameters<typeof quoted>[0] | undefined): string | undefined => relation && quoted(relation)

function dropped({ DropStmt: { objects, removeType } }: Extract<Node, { DropStmt: unknown }>): readonly Change[] {
  const relations = ["OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"]
  if (!relations.includes(removeType ?? "")) return []
  return (objects ?? []).flatMap((object) => {
    const relation = relationOfObject(object)
    return relation ? [{ kind: "relation", name: quoted(relation), part: "", after: "dropped" } as const] : []
  })
}

function altered({
  AlterTableStmt: { relation, cmds },
}: Extract<Node, { AlterTableStmt: unknown }>): readonly Change[] {
  const table = name(relationOf(relation))
  if (table === undefined) return []
  return (cmds ?? []).flatMap((command): readonly Change[] => {
    if (!("AlterTableCmd" in command)) return []
    const { subtype, name: part, def } = command.AlterTableCmd
    const drops = (kind: Change["kind"]) => (part ? [{ kind, name: table, part, after: "dropped" } as const] : [])
    if (subtype === "AT_DropColumn") return drops("column")
    if (subtype === "AT_DropConstraint") return drops("constraint")
    if (subtype === "AT_AddColumn" && def && "ColumnDef" in def) return created("column", table, def.ColumnDef.colname)
    const constraint = def && "Constraint" in def ? def.Constraint.conname : undefined
    return subtype === "AT_AddConstraint" && constraint ? created("constraint", table, constraint) : []
  })
}

const lookUp = `SELECT CASE kind
    WHEN 'relation' THEN to_regclass(name) IS NOT NULL
    WHEN 'type' THEN to_regtype(name) IS NOT NULL
    WHEN 'column' THEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(name) AND attname = part AND NOT attisdropped)
    WHEN 'constraint' THEN EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(name) AND conname = part)
    ELSE EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype(name) AND enumlabel = part)
  END AS found FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS change (kind, name, part, number) ORDER BY number`

/** Compares the changes with the catalog, in one query. */
export async function checkCatalog(
  client: Client,
  wanted: readonly CatalogChange[],
): Promise<readonly CheckedChange[]> {
  const columns = [wanted.map(({ kind }) => kind), wanted.map((each) => each.name), wanted.map(({ part }) => part)]
  const { rows } = await client.query<{ found: string }>(lookUp, columns)
  return wanted.map((change, index) => ({
    ...change,
    done: (rows[index]?.found === "t") === (change.after === "exists"),
  }))
}

/** A change in words: column "Order"."total". */
export function changeText({ kind, name, part, after }: CatalogChange): string {
  const what =
    kind === "relation" ? name : kind === "type" ? `type ${name}` : `${kind} ${name}.${quoteIdentifier(part)}`
  return after === "exists" ? what : `${what} dropped`
}
