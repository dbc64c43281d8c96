import type { Node } from "libpg-query"
import { alterTable } from "./effects/alter-table.js"
import { createTable } from "./effects/create-table.js"
import { drop } from "./effects/drop.js"
import { type Effect, effect } from "./effects/effect.js"
import { createIndex, reindex } from "./effects/index.js"
import { lockTable, rangesOf, vacuum } from "./effects/maintenance.js"
import { comment, publication, rename } from "./effects/objects.js"
import { ofNoRelation, ofOneRelation } from "./effects/other.js"
import { rowEffects } from "./effects/rows.js"
import { quoted } from "./relation.js"

export type { Effect } from "./effects/effect.js"

/** What a statement does to which tables, as far as the SQL tells; nothing for one that only reads or sets. */
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
