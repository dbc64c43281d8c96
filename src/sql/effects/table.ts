import type { ColumnDef, Constraint, CreateStmt, DropStmt, IndexStmt, Node, ReindexStmt } from "libpg-query"
import type { RuleId } from "../rules.js"
import { find, identifiers, isSet, quoted, type RelationName, relationOf, relationOfObject } from "../tree.js"
import { type Effect, effect } from "./effect.js"

/** CREATE TABLE: the new table, the parents that it hangs on, and the tables that its foreign keys reference. */
export function createTable({ relation, inhRelations, partbound, tableElts }: CreateStmt): readonly Effect[] {
  const parents = (inhRelations ?? []).flatMap((each) => ("RangeVar" in each ? [relationOf(each.RangeVar)] : []))
  const keys = (tableElts ?? []).flatMap((element): readonly Constraint[] => {
    if ("Constraint" in element) return [element.Constraint]
    return "ColumnDef" in element ? constraintsOf(element.ColumnDef) : []
  })
  return [
    effect("create-table", { table: relationOf(relation) }),
    ...parents.map((table) => effect(partbound === undefined ? "create-child" : "create-partition", { table })),
    ...keys
      .filter(({ contype }) => contype === "CONSTR_FOREIGN")
      .flatMap((key) => foreignKey(key, undefined, "not checked")),
  ]
}

/** DROP of anything but databases, roles, tablespaces and subscriptions, which have statements of their own. */
export function drop(statement: DropStmt): readonly Effect[] {
  const { removeType, objects = [], behavior } = statement
  const cascades = behavior === "DROP_CASCADE"
  switch (removeType) {
    case "OBJECT_INDEX":
      return dropIndex(statement)
    case "OBJECT_TABLE":
    case "OBJECT_FOREIGN_TABLE":
      return objects.map((object) => {
        const table = relationOfObject(object)
        return effect("drop-table", { table, destroys: table === undefined ? "a table" : `table ${quoted(table)}` })
      })
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_SEQUENCE":
      return objects.map((object) => effect("drop-view", { table: relationOfObject(object) }))
    case "OBJECT_TRIGGER":
      return objects.map((object) => effect("change-trigger", { table: relationOfObject(object, 1) }))
    case "OBJECT_POLICY":
      return objects.map((object) => effect("policy", { table: relationOfObject(object, 1) }))
    case "OBJECT_RULE":
      return objects.map((object) => effect("rule", { table: relationOfObject(object, 1) }))
    case "OBJECT_SCHEMA":
      if (!cascades) return [effect("drop-object")]
      return [effect("unknown", { destroys: `what is in schema ${objects.map(nameOf).join(", ")}` })]
    default:
      if (!cascades) return [effect("drop-object")]
      return [effect("unknown", { destroys: `what depends on ${objects.map(nameOf).join(", ")}, columns included` })]
  }
}

function nameOf(object: Node): string {
  const list = "List" in object ? object.List.items : "TypeName" in object ? object.TypeName.names : [object]
  const function_ = "ObjectWithArgs" in object ? object.ObjectWithArgs.objname : undefined
  return identifiers(function_ ?? list)
    .map((part) => `"${part}"`)
    .join(".")
}

/** CREATE INDEX. */
export function createIndex({ relation, concurrent }: IndexStmt): Effect {
  return effect(concurrent ? "create-index-concurrently" : "create-index", { table: relationOf(relation) })
}

/** DROP INDEX: one effect an index. */
function dropIndex({ objects, concurrent }: DropStmt): readonly Effect[] {
  const id = concurrent ? "drop-index-concurrently" : "drop-index"
  return (objects ?? []).map((object) => effect(id, { index: relationOfObject(object) }))
}

/** REINDEX. */
export function reindex({ kind, relation, params }: ReindexStmt): Effect {
  const target = relationOf(relation)
  const what = kind === "REINDEX_OBJECT_INDEX" ? { index: target } : { table: target }
  if (isSet(params, "concurrently", false)) return effect("reindex-concurrently", what)
  if (kind === "REINDEX_OBJECT_INDEX") return effect("reindex-index", what)
  return effect(kind === "REINDEX_OBJECT_TABLE" ? "reindex-table" : "reindex-many", what)
}

/** ALTER TABLE ... ADD COLUMN: one effect for each thing that costs, or one instant one. */
export function addedColumn(column: ColumnDef, table: RelationName | undefined): readonly Effect[] {
  const constraints = constraintsOf(column)
  const costs: RuleId[] = []

  const filled = filling(column, constraints)
  if (filled !== undefined) costs.push(filled)
  const has = (...types: readonly Constraint["contype"][]) => constraints.some(({ contype }) => types.includes(contype))
  if (has("CONSTR_NOTNULL") && filled === undefined) costs.push("add-column-not-null")
  if (has("CONSTR_UNIQUE", "CONSTR_PRIMARY")) costs.push("add-column-unique")
  if (has("CONSTR_CHECK") && !has("CONSTR_ATTR_NOT_ENFORCED")) costs.push("add-column-check")
  if (costs.length === 0) costs.push("add-column")

  const checked = filled !== undefined && filled !== "add-column-generated-virtual"
  return [
    ...costs.map((id) => effect(id, { table, column: column.colname })),
    ...constraints
      .filter(({ contype }) => contype === "CONSTR_FOREIGN")
      .flatMap((key) => foreignKey(key, table, checked ? "checked" : "not checked")),
  ]
}

/** The rule that says how existing rows get the new column's value; none where it is simply null. */
function filling(column: ColumnDef, constraints: readonly Constraint[]): RuleId | undefined {
  if (/^(small|big)?serial[248]?$/.test(identifiers(column.typeName?.names).at(-1) ?? "")) return "add-column-serial"
  for (const { contype, generated_kind, raw_expr } of constraints) {
    if (contype === "CONSTR_IDENTITY") return "add-column-identity"
    if (contype === "CONSTR_GENERATED") {
      return generated_kind === "v" ? "add-column-generated-virtual" : "add-column-generated-stored"
    }
    if (contype === "CONSTR_DEFAULT" && raw_expr !== undefined) {
      const kind = volatility(raw_expr)
      if (kind === "volatile") return "add-column-volatile-default"
      return kind === "depends" ? "add-column-function-default" : "add-column-constant-default"
    }
  }
  return undefined
}

/** A new foreign key: its own table, where that existed before, and the one that it references. */
export function foreignKey(
  key: Constraint,
  table: RelationName | undefined,
  rows: "checked" | "not checked",
): readonly Effect[] {
  const scans = rows === "checked" && key.is_enforced !== false && key.skip_validation !== true
  const own = table === undefined ? [] : [effect(scans ? "add-foreign-key" : "add-foreign-key-not-valid", { table })]
  const referenced = { table: relationOf(key.pktable) }
  return [...own, effect(scans ? "referenced-by-foreign-key" : "referenced-by-new-column", referenced)]
}

/** The constraints written with a column. */
export function constraintsOf(column: ColumnDef): readonly Constraint[] {
  return (column.constraints ?? []).flatMap((each) => ("Constraint" in each ? [each.Constraint] : []))
}

/**
 * Whether an expression has to be computed for every row. What a user-defined function does is not visible in the SQL
 * ("depends"); the built-in ones are known by name. Operators are taken to be what PostgreSQL's own are: not volatile.
 */
function volatility(expression: Node): "volatile" | "depends" | "not volatile" {
  const names = [...find(expression, "FuncCall")].map(({ funcname }) => identifiers(funcname).at(-1) ?? "")
  if (names.some((name) => volatile.has(name))) return "volatile"
  return names.every((name) => notVolatile.has(name)) ? "not volatile" : "depends"
}

const volatile: ReadonlySet<string> = new Set(
  `clock_timestamp currval gen_random_bytes gen_random_uuid lastval nextval random random_normal setval timeofday txid_current
   uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7`.split(/\s+/),
)

const notVolatile: ReadonlySet<string> = new Set(
  `abs array_fill chr coalesce concat concat_ws current_database current_schema current_setting date_part date_trunc
   decode digest encode format greatest int4range int8range json_build_array json_build_object jsonb_build_array
   jsonb_build_object least left length lower lpad make_date make_interval make_time make_timestamp make_timestamptz md5
   now nullif numrange repeat replace right round rpad sha256 statement_timestamp substr substring timezone to_char
   to_date to_json to_jsonb to_number to_timestamp to_tsvector transaction_timestamp trim tsrange tstzrange upper
   uuid_nil uuid_ns_dns uuid_ns_url`.split(/\s+/),
)
