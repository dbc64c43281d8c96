import { readComparison, readDatabase } from "../deploy/connect/read.js"
import type { Comparison } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"

/**
 * Compares the folder with a database's history, and finds what pending migrations would destroy, in words, by their
 * names. Reads only. Errors: L12xx the database cannot be read.
 */
export async function readStatus(url: DatabaseUrl, folder: Folder) {
  return await readDatabase({ url, applicationName: "lockstep status" }, async (client) => {
    const found = await readComparison(client, { url, folder })
    return { ...found, losses: await lossesOf(client, { schema: url.schema, ...found }) }
  })
}

/** Nothing pending, or nothing that could be destroyed: then nothing is loaded. */
async function lossesOf(
  client: Client,
  { schema, comparison, history }: { schema: string; comparison: Comparison; history: "exists" | "none" },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { pending } = comparison
  if (pending.length === 0 || history === "none") return new Map()
  const { pendingLosses } = await import("../plan/pending-losses.js")
  return await pendingLosses(client, { schema, pending })
}
