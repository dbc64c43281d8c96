import { createHash } from "node:crypto"
import type { FindDrift } from "../../deploy/context.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../../postgres/url.js"
import type { Project } from "../../project/project.js"
import type { ReplayedCatalog } from "../../scratch/replay.js"

/** Compares databases with their histories. */
export type FleetDriftFinder = (url: DatabaseUrl) => FindDrift

/**
 * For the databases of a fleet: the same migrations are replayed once for each server and schema, however many databases
 * have them.
 */
export function fleetDriftFinder({
  shadowUrl,
  initShadowDb,
}: Pick<Project, "shadowUrl" | "initShadowDb">): FleetDriftFinder {
  const replays = new Map<string, Promise<ReplayedCatalog>>()
  // One after another: a configured shadow database is emptied for each.
  let last: Promise<unknown> = Promise.resolve()
  return (url) => async (client, applied) => {
    const { driftFrom, replayedCatalog } = await import("../../scratch/replay.js")
    const setting = { url, shadowUrl: shadowUrl ? parseDatabaseUrl(shadowUrl) : undefined, initShadowDb }
    const parts = [url.host, url.port, url.schema, applied]
    const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex")
    const before = last
    const replayed = replays.get(key) ?? before.catch(() => undefined).then(() => replayedCatalog(setting, applied))
    replays.set(key, replayed)
    last = replayed
    return await driftFrom(await replayed, client)
  }
}
