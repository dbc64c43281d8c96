import type { AlterDatabaseStmt, AlterSubscriptionStmt, Node, ReindexStmt } from "libpg-query"
import { isSet } from "./option.js"
import type { Statement } from "./parse.js"

/** Whether a statement must be sent outside any transaction block; all others may be wrapped in BEGIN and COMMIT. */
export function runsAlone(statement: Statement): boolean {
  return whyAlone(statement) !== undefined
}

/** What keeps a statement out of a transaction block, as words: "CREATE INDEX CONCURRENTLY". */
export function whyAlone({ node, endsTransaction }: Statement): string | undefined {
  if (endsTransaction)
    return "DoStmt" in node ? "a DO block with COMMIT or ROLLBACK" : "a CALL that commits or rolls back"
  return refused(node)
}

/**
 * The statements that PostgreSQL 18 refuses inside a transaction block (SQLSTATE 25001); tested against the server.
 * REINDEX and CLUSTER of a partitioned table are refused as well, but that a table is partitioned the SQL does not say.
 */
function refused(node: Node): string | undefined {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent ? "CREATE INDEX CONCURRENTLY" : undefined
  if ("DropStmt" in node) return node.DropStmt.concurrent ? "DROP INDEX CONCURRENTLY" : undefined
  if ("ReindexStmt" in node) return reindex(node.ReindexStmt)
  if ("AlterTableStmt" in node) return node.AlterTableStmt.cmds?.some(detachesConcurrently) ? detach : undefined
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd ? "VACUUM" : undefined
  if ("ClusterStmt" in node) return node.ClusterStmt.relation ? undefined : "CLUSTER of every table"
  if ("AlterSystemStmt" in node) return "ALTER SYSTEM"
  if ("CreatedbStmt" in node) return "CREATE DATABASE"
  if ("DropdbStmt" in node) return "DROP DATABASE"
  if ("CreateTableSpaceStmt" in node) return "CREATE TABLESPACE"
  if ("DropTableSpaceStmt" in node) return "DROP TABLESPACE"
  if ("AlterDatabaseStmt" in node) return alterDatabase(node.AlterDatabaseStmt)
  if ("DiscardStmt" in node) return node.DiscardStmt.target === "DISCARD_ALL" ? "DISCARD ALL" : undefined
  if ("CreateSubscriptionStmt" in node) {
    const { options } = node.CreateSubscriptionStmt
    return isSet(options, "connect", true) && isSet(options, "create_slot", true) ? "CREATE SUBSCRIPTION" : undefined
  }
  if ("AlterSubscriptionStmt" in node) return alterSubscription(node.AlterSubscriptionStmt)
  if ("DropSubscriptionStmt" in node) return "DROP SUBSCRIPTION"
  if ("TransactionStmt" in node) return preparedEnds.get(node.TransactionStmt.kind ?? "")
  return undefined
}

const detach = "DETACH PARTITION CONCURRENTLY"

/** Commands on a transaction that an earlier session prepared. */
const preparedEnds: ReadonlyMap<string, string> = new Map([
  ["TRANS_STMT_COMMIT_PREPARED", "COMMIT PREPARED"],
  ["TRANS_STMT_ROLLBACK_PREPARED", "ROLLBACK PREPARED"],
])

function reindex({ kind, params }: ReindexStmt): string | undefined {
  if (isSet(params, "concurrently", false)) return "REINDEX CONCURRENTLY"
  if (kind === "REINDEX_OBJECT_SCHEMA") return "REINDEX SCHEMA"
  if (kind === "REINDEX_OBJECT_DATABASE") return "REINDEX DATABASE"
  if (kind === "REINDEX_OBJECT_SYSTEM") return "REINDEX SYSTEM"
  return undefined
}

function detachesConcurrently(command: Node): boolean {
  const definition = "AlterTableCmd" in command ? command.AlterTableCmd.def : undefined
  return definition !== undefined && "PartitionCmd" in definition && definition.PartitionCmd.concurrent === true
}

function alterDatabase({ options }: AlterDatabaseStmt): string | undefined {
  const moves = options?.some((option) => "DefElem" in option && option.DefElem.defname === "tablespace")
  return moves ? "ALTER DATABASE SET TABLESPACE" : undefined
}

function alterSubscription({ kind, options }: AlterSubscriptionStmt): string | undefined {
  const publications = kind?.endsWith("_PUBLICATION") && isSet(options, "refresh", true)
  const slot = options?.some(
    (option) => "DefElem" in option && /^(failover|two_phase)$/.test(option.DefElem.defname ?? ""),
  )
  return kind === "ALTER_SUBSCRIPTION_REFRESH" || publications || slot ? "ALTER SUBSCRIPTION" : undefined
}
