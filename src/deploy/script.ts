import { finishedAt, finishedRow, lockHeld } from "../history/rows.js"
import type { Client } from "../postgres/connect.js"
import { discards, freshSettings } from "./fresh-session.js"
import { lockHolder } from "./lock.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"
import { asOneStatement } from "./unparsed.js"

/** A migration to be sent, and the id of its history row. */
export interface Sent {
  readonly prepared: Prepared
  readonly id: string
}

/**
 * A transactional migration as one message, `BEGIN; script; history row; COMMIT`, in parts: together they would be
 * another copy of a large file.
 */
export interface Message {
  readonly before: string
  /** How many statements come before the script. */
  readonly opening: number
  readonly script: readonly string[]
  readonly after: string
}

/**
 * What every migration begins with, in a transaction of its own, because nothing may come before SET TRANSACTION: the
 * check that this session still holds the lock, without which nothing of the message runs, and a session as new.
 */
export const opening = (client: Client): readonly string[] => [
  "BEGIN",
  lockHeld(lockHolder(client)),
  ...discards,
  "COMMIT",
]

/** A migration and its row in one transaction, so that both commit or neither. It gives the milliseconds that it took. */
export function transactionMessage(client: Client, { prepared, id }: Sent, request: DeployRequest): Message {
  const before = [...opening(client), "BEGIN"]
  const row = finishedRow({ pid: lockHolder(client), schema: request.url.schema, id }, prepared.migration, "now()")
  return {
    before: `${title([prepared])}${before.join(";")};`,
    opening: before.length,
    script: prepared.unparsed ? asOneStatement(prepared.sql, id) : [prepared.sql, "\n;"],
    after: `${freshSettings(client, request)}${row};COMMIT;`,
  }
}

/**
 * Several transactional migrations as one message, each in its own transaction with its own row; each gives the
 * milliseconds that it took. Within one message now() stands still: a migration starts there when the one before it is
 * finished.
 */
export function batchMessage(client: Client, batch: readonly Sent[], request: DeployRequest): string {
  const { schema } = request.url
  const pid = lockHolder(client)
  const settings = freshSettings(client, request)
  const between = `BEGIN;${discards.join(";")};COMMIT;`
  const transactions = batch.map(({ prepared: { sql, migration }, id }, index) => {
    const previous = batch[index - 1]?.id
    const started = previous === undefined ? "now()" : finishedAt(schema, previous)
    const first = previous === undefined ? `${opening(client).join(";")};` : between
    return `${first}BEGIN;${sql}\n;${settings}${finishedRow({ pid, schema, id }, migration, started)};COMMIT;`
  })
  return title(batch.map(({ prepared }) => prepared)) + transactions.join("")
}

/** The first line of a message: what pg_stat_activity shows of it, and a waiting deployer says. */
function title([first, ...more]: readonly Prepared[]): string {
  const name = first?.migration.name.replaceAll(/[^ -~]/g, "?")
  return `-- ${name}${more.length > 0 ? ` and ${more.length} more` : ""}\n`
}
