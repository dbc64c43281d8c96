import { existsSync } from "node:fs"
import type { Surveyed } from "../backfill/survey.js"
import { readComparison, readDatabase } from "../deploy/connect/read.js"
import { LockstepError } from "../errors.js"
import type { Comparison } from "../history/compare.js"
import { backfillsFolder, type Folder } from "../history/folder.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"

/**
 * Compares the folder with a database's history, finds what pending migrations would destroy, in words, by their names, and
 * where the backfills stand, if the project has any. Reads only. Errors: L12xx the database cannot be read.
 */
export async function readStatus(url: DatabaseUrl, folder: Folder) {
  return await readDatabase({ url, applicationName: "lockstep status" }, async (client) => {
    const found = await readComparison(client, { url, folder })
    const losses = await lossesOf(client, { schema: url.schema, ...found })
    return { ...found, losses, backfills: await backfillsOf(client, url, folder) }
  })
}

/** Undefined where there is no folder of them, and nothing is asked, or where the role may not see it. */
async function backfillsOf(
  client: Client,
  url: DatabaseUrl,
  { dir }: Folder,
): Promise<readonly Surveyed[] | undefined> {
  const backfills = backfillsFolder(dir)
  if (!existsSync(backfills)) return undefined
  const [{ readBackfills }, { survey }] = await Promise.all([
    import("../backfill/file.js"),
    import("../backfill/survey.js"),
  ])
  return await survey(client, { url, backfills: readBackfills(backfills) }).catch((error: unknown) => {
    // A role that may read the history and not that: what is applied is known all the same.
    if (error instanceof LockstepError && error.code === "L2108") return undefined
    throw error
  })
}

/** Nothing pending, or nothing that could be destroyed: then nothing is loaded. */
async function lossesOf(
  client: Client,
  { schema, comparison, history }: { schema: string; comparison: Comparison; history: "exists" | "none" },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { pending } = comparison
  if (pending.length === 0 || history === "none") return new Map()
  const { pendingLosses } = await import("../plan/estimate.js")
  return await pendingLosses(client, { schema, pending })
}
