import type { Node } from "libpg-query"
import { alterTable } from "./effects/alter-table.js"
import { type Effect, effect } from "./effects/effect.js"
import {
  comment,
  lockTable,
  ofNoRelation,
  ofOneRelation,
  publication,
  rangesOf,
  rename,
  rowEffects,
  vacuum,
} from "./effects/other.js"
import { createIndex, createTable, drop, reindex } from "./effects/table.js"
import { quoted, type RelationName } from "./tree.js"

export type { Effect } from "./effects/effect.js"

/** What a statement does to which tables, as far as the SQL shows it; nothing for one that only reads or sets. */
export function effects(node: Node): readonly Effect[] {
  if ("AlterTableStmt" in node) return alterTable(node.AlterTableStmt)
  if ("CreateStmt" in node) return createTable(node.CreateStmt)
  if ("DropStmt" in node) return drop(node.DropStmt)
  if ("IndexStmt" in node) return [createIndex(node.IndexStmt)]
  if ("ReindexStmt" in node) return [reindex(node.ReindexStmt)]
  if ("RenameStmt" in node) return [rename(node.RenameStmt)]
  if ("CommentStmt" in node) return [comment(node.CommentStmt)]
  if ("VacuumStmt" in node) return vacuum(node.VacuumStmt)
  if ("LockStmt" in node) return lockTable(node.LockStmt)
  if ("CreatePublicationStmt" in node) return publication(node.CreatePublicationStmt)
  if ("AlterPublicationStmt" in node) return publication(node.AlterPublicationStmt)
  if ("CreateStatsStmt" in node) {
    return rangesOf(node.CreateStatsStmt.relations).map((table) => effect("statistics", { table }))
  }
  if ("TruncateStmt" in node) {
    return rangesOf(node.TruncateStmt.relations).map((table) =>
      effect("truncate", { table, destroys: `the rows of ${quoted(table)}` }),
    )
  }
  const one = ofOneRelation(node) ?? ofNoRelation(node)
  return one === undefined ? rowEffects(node) : [one]
}

/** The same effects, but a foreign key of a new table checks no rows in the table that it references. */
export function uncheckedIfNew(all: readonly Effect[], isNew: (table: RelationName) => boolean): readonly Effect[] {
  const ownerIsNew = all.some(({ rule, table }) => rule === "add-foreign-key" && table !== undefined && isNew(table))
  return ownerIsNew ? all.map(unchecked) : all
}

function unchecked(each: Effect): Effect {
  return each.rule === "referenced-by-foreign-key" ? effect("referenced-by-new-column", { table: each.table }) : each
}
