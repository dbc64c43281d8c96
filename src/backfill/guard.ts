import { relative } from "node:path"
import type { BackfillGuard } from "../deploy/context.js"
import { LockstepError } from "../errors.js"
import { backfillsFolder, type FolderMigration } from "../history/folder.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { quoted } from "../sql/tree.js"
import { type BackfillFile, parseBackfill, readBackfills } from "./file.js"
import { findKey, nameOfKey } from "./key.js"
import { createProgress, forgetProgress, progressRefused, readProgress, recordBeginning } from "./progress.js"

const marker = /^\s*--\s*lockstep-after-backfill\s*:\s*(\S+)\s*$/

/** What a deploy asks about the backfills beside its migrations. */
export function guardFor(migrationsDir: string, url: DatabaseUrl): BackfillGuard {
  const files = () => readBackfills(backfillsFolder(migrationsDir))
  return {
    // Whatever emptied the database did not know of the progress.
    onEmptyHistory: async (client) => {
      await forgetProgress(client, { schema: url.schema }).catch((error: unknown) => {
        throw progressRefused(error, url.user)
      })
    },
    before: async (client, migration, state) => {
      for (const required of requiredBy(migration)) {
        const file = files().find(({ name }) => name === required.name)
        if (file === undefined) throw notFinished(migration, required, { state, exists: false })
        if ((await readProgress(client, url)).get(file.name)?.finishedAt !== undefined) continue
        if (!(await nothingToDo(client, url, file))) throw notFinished(migration, required, { state, exists: true })
      }
    },
    // What cannot be recorded is run later, over rows that it should not find: that is no reason to fail a deploy.
    onFirstDeployed: async (client) => {
      for (const file of files()) await nothingToDo(client, url, file).catch(() => undefined)
    },
  }
}

interface Required {
  readonly name: string
  /** 1-based. */
  readonly line: number
}

/** The backfills that a migration comes after: `-- lockstep-after-backfill: NAME`. */
function requiredBy({ text }: FolderMigration): readonly Required[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, index) => {
    const name = marker.exec(line)?.[1]
    return name === undefined ? [] : [{ name: name.replace(/\.sql$/, ""), line: index + 1 }]
  })
}

/**
 * Whether a backfill's table has no row. It is then recorded as finished, where the role may: the rows that come later are
 * written by an application that knows what it was for. Errors: L2101.
 */
async function nothingToDo(client: Client, url: DatabaseUrl, file: BackfillFile): Promise<boolean> {
  const backfill = await parseBackfill(file)
  const { statement } = backfill
  await client.query(`SET search_path=${quoteIdentifier(url.schema)}`)
  const { rows } = await client.query<{ table: string | null }>("SELECT to_regclass($1)::text AS table", [
    quoted(statement.table),
  ])
  const table = rows[0]?.table
  if (table == null) return false
  if ((await client.query(`SELECT FROM ${statement.only}${table} LIMIT 1`)).rows.length > 0) return false
  const key = await findKey(client, backfill)
  const beginning = { file, key: nameOfKey(key), upperKey: undefined, estimated: 0 }
  await createProgress(client, url.user)
    .then(() => recordBeginning(client, url.schema, beginning))
    .catch(() => undefined)
  return true
}

function notFinished(
  { name, path }: FolderMigration,
  required: Required,
  { state, exists }: { readonly state: string; readonly exists: boolean },
): LockstepError {
  const which = exists ? "which is not finished" : "and the folder backfills has none of that name"
  return new LockstepError("L2110", `${name} comes after the backfill ${required.name}, ${which}`, {
    ...{ file: relative(process.cwd(), path), line: required.line, column: 1, state },
    next: exists
      ? `\`lockstep backfill ${required.name}\`, then run the same deploy again`
      : "correct lockstep-after-backfill in the file, or restore the backfill",
  })
}
