import type { DropStmt, IndexStmt, ReindexStmt } from "libpg-query"
import { isSet } from "../option.js"
import { relationOf, relationOfObject } from "../relation.js"
import { type Effect, effect } from "./effect.js"

/** CREATE INDEX. */
export function createIndex({ relation, concurrent }: IndexStmt): Effect {
  return effect(concurrent ? "create-index-concurrently" : "create-index", { table: relationOf(relation) })
}

/** DROP INDEX: one effect an index. */
export function dropIndex({ objects, concurrent }: DropStmt): readonly Effect[] {
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
