import type { Node, RangeVar } from "libpg-query"
import { quoteIdentifier } from "../postgres/quote.js"

type Nodes = { [Each in Node as keyof Each]: Each[keyof Each] }

/** The name of a parse tree node's type, such as "IndexStmt". */
type NodeKind = keyof Nodes
/** The node that a kind names. */
type NodeOf<Kind extends NodeKind> = Nodes[Kind]

/** The node's type: a parse tree node is an object with that one key. */
export function kindOf(node: Node): string {
  return Object.keys(node)[0] ?? ""
}

/** Every node of a kind in a parse tree, outermost first. */
export function* find<Kind extends NodeKind>(tree: unknown, kind: Kind): Generator<NodeOf<Kind>> {
  for (const each of objectsIn(tree)) if (holds(each, kind)) yield each[kind]
}

/** Whether a tree (PL/pgSQL's included) has an object with one of these keys anywhere. */
export function mentions(tree: unknown, keys: readonly string[]): boolean {
  for (const each of objectsIn(tree)) if (keys.some((key) => key in each)) return true
  return false
}

/** Not recursive: an expression of thousands of terms nests as deep. */
function* objectsIn(tree: unknown): Generator<object> {
  const waiting = [tree]
  while (waiting.length > 0) {
    const each = waiting.pop()
    if (typeof each !== "object" || each === null) continue
    yield each
    for (const child of Object.values(each).reverse()) if (typeof child === "object") waiting.push(child)
  }
}

/** The identifiers of a list of String nodes, such as a qualified name. */
export function identifiers(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((item) => ("String" in item ? [item.String.sval ?? ""] : []))
}

function holds<Kind extends NodeKind>(tree: object, kind: Kind): tree is Record<Kind, NodeOf<Kind>> {
  return kind in tree
}

/** A table, index or other relation as the SQL names it; without a schema the search path decides. */
export interface RelationName {
  readonly schema?: string | undefined
  readonly name: string
}

/** The relation that a RangeVar names. */
export function relationOf(range: RangeVar | undefined): RelationName | undefined {
  if (range?.relname === undefined) return undefined
  return range.schemaname === undefined ? { name: range.relname } : { schema: range.schemaname, name: range.relname }
}

/** The relation that a list of identifiers names ("a" or "schema.a"); `drop` leaves off that many at the end. */
export function relationOfList(list: readonly Node[] | undefined, drop = 0): RelationName | undefined {
  const parts = identifiers(list)
  const [name, schema] = parts.slice(0, parts.length - drop).reverse()
  if (name === undefined) return undefined
  return schema === undefined ? { name } : { schema, name }
}

/** The relation of a DROP or COMMENT object, which is a List of identifiers. */
export function relationOfObject(object: Node | undefined, drop = 0): RelationName | undefined {
  return object !== undefined && "List" in object ? relationOfList(object.List.items, drop) : undefined
}

/** Whether two names can mean the same; one without a schema can mean any. */
export function isSameRelation(one: RelationName, other: RelationName): boolean {
  return one.name === other.name && (one.schema ?? other.schema) === (other.schema ?? one.schema)
}

/** The name as SQL, quoted: `"Order"` or `"shop"."Order"`. */
export function quoted({ schema, name }: RelationName): string {
  return [schema, name].flatMap((part) => (part === undefined ? [] : [quoteIdentifier(part)])).join(".")
}

/** Whether a boolean option of a statement is on; named without a value means on (PostgreSQL's defGetBoolean). */
export function isSet(options: readonly Node[] | undefined, name: string, absent: boolean): boolean {
  const option = options
    ?.flatMap((each) => ("DefElem" in each ? [each.DefElem] : []))
    .findLast(({ defname }) => defname === name)
  if (option === undefined) return absent
  const value = option.arg
  if (value === undefined) return true
  if ("Boolean" in value) return value.Boolean.boolval === true
  if ("Integer" in value) return (value.Integer.ival ?? 0) !== 0
  return "String" in value && /^(t|tr|tru|true|on|y|ye|yes|1)$/i.test(value.String.sval ?? "")
}
