import { LockstepError } from "../../errors.js"
import { type Comparison, compare } from "../../history/compare.js"
import type { FolderMigration } from "../../history/folder.js"
import { readHistory } from "../../history/recorded.js"
import type { DeployContext, FindDrift } from "../context.js"

/**
 * Reads the history back, under the lock, and compares it with the folder: every migration recorded once as applied, or
 * more than once only where it was so `before`.
 * Resolves to how many are recorded. Errors: L1030 the history is another one.
 */
export async function verifyHistory(
  { client, request: { url, folder } }: DeployContext,
  before: Pick<Comparison, "duplicates">,
): Promise<number> {
  const recorded = await readHistory(client, url.schema)
  const { applied, pending, failed, duplicates } = compare(folder.migrations, recorded ?? [])
  const twice = duplicates.filter((name) => !before.duplicates.includes(name))
  const wrong = [
    ...pending.map(({ name }) => `${name} is not recorded`),
    ...failed.map(({ name }) => `${name} is recorded as failed`),
    ...twice.map((name) => `${name} is recorded twice`),
  ]
  if (wrong.length === 0) return applied.length
  throw new LockstepError("L1030", "the migrations were applied, but the history read back does not match", {
    hint: wrong.join("\n"),
    state: "the history was probably changed by somebody else during the deploy.",
    next: "`lockstep status`",
  })
}

/** A drift as people read it: one line an object. */
export const driftLines = ({ missing, unexpected }: Awaited<ReturnType<FindDrift>>): readonly string[] => [
  ...missing.map((line) => `missing, or different:  ${line}`),
  ...unexpected.map((line) => `not from the history:   ${line}`),
]

/**
 * Compares the database with what its history makes when it is replayed on an empty one, under the lock. Migrations
 * are replayed in the order in which they were applied. Errors: L1031 they differ, object by object.
 */
export async function verifySchema(
  { client, request: { url, folder, onEvent } }: DeployContext,
  findDrift: FindDrift,
): Promise<void> {
  const recorded = (await readHistory(client, url.schema)) ?? []
  const { missing, applied, unsquashed } = compare(folder.migrations, recorded)
  if (missing.length > 0) {
    throw new LockstepError("L1031", "the schema cannot be verified: the folder does not hold the whole history", {
      hint: missing.map(({ name }) => `${name} is recorded in the database, but not in the folder`).join("\n"),
      state: "the history is verified; the schema is not.",
      next: "verify with the folder of the newest release",
    })
  }
  const byName = new Map(applied.map(({ name, migration }): [string, FolderMigration] => [name, migration]))
  // Where a later squash has taken their rows' place, the order of the names is all that is known.
  const rows = unsquashed.length > 0 ? applied.map(({ name, row }) => ({ ...row, name })) : recorded
  const order = rows.flatMap(({ name, finishedAt, rolledBackAt }) => {
    const migration = finishedAt !== null && rolledBackAt === null ? byName.get(name) : undefined
    return migration ? [{ name, sql: migration.text }] : []
  })
  const lines = driftLines(await findDrift(client, order))
  if (lines.length === 0) {
    onEvent({ event: "schema-verified", migrations: order.length })
    return
  }
  throw new LockstepError(
    "L1031",
    `the schema has drifted from the history in ${lines.length === 1 ? "one object" : `${lines.length} objects`}`,
    {
      hint: lines.join("\n"),
      state: "every migration is applied and recorded; somebody changed the schema by hand.",
      next: "write a migration that makes these changes (`lockstep diff` shows them as SQL), or revert them by hand",
    },
  )
}
