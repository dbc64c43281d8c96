import type { Node, RangeVar } from "libpg-query"
import { identifiers } from "./tree.js"

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
  return [schema, name].flatMap((part) => (part === undefined ? [] : [quotedIdentifier(part)])).join(".")
}

/** An identifier as SQL, quoted. */
export function quotedIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
