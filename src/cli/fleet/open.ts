import { resolve } from "node:path"
import { LockstepError } from "../../errors.js"
import type { Limits } from "../../fleet/schedule.js"
import { inShard, parseShard, type Shard } from "../../fleet/shard.js"
import { type ListSource, readTargets } from "../../fleet/source.js"
import type { FleetTarget } from "../../fleet/target.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { findTarget } from "../../project/database-url.js"
import type { Project } from "../../project/project.js"
import type { TargetSettings } from "./options.js"

/** The targets of a command, and how many of them at once. */
export interface OpenedFleet {
  readonly targets: readonly FleetTarget[]
  /** Undefined: the whole list. */
  readonly shard: Shard | undefined
  /** How many are in the whole list. */
  readonly listed: number
  readonly limits: Limits
}

const wrong = (message: string, next: string): LockstepError =>
  new LockstepError("L2004", message, { state: "nothing was touched.", next })

/** Reads the list, and takes the share and the groups that are meant. Errors: L2001 to L2004, L12xx. */
export async function openFleet(settings: TargetSettings, project: Project, signal: AbortSignal): Promise<OpenedFleet> {
  const { concurrency, concurrencyPerHost: perHost, groups } = settings
  if (concurrency === 0) throw wrong("--concurrency is 0", "give 1 or more")
  const shard = parseShard({ ...settings, completionIndex: process.env.JOB_COMPLETION_INDEX })
  hideUrl()
  const base = async () =>
    settings.targetsUrl === undefined ? (await findTarget(project)).url : parseDatabaseUrl(settings.targetsUrl)
  const listed = await readTargets(sourceOf(settings), { base, root: project.root, signal })
  const ofGroups = groups.length === 0 ? listed : listed.filter(({ group = "" }) => groups.includes(group))
  if (ofGroups.length === 0) throw wrong(`no target is in ${groups.join(" or ")}`, "correct --groups")
  const targets = shard === undefined ? ofGroups : inShard(ofGroups, shard)
  return { targets, shard, listed: ofGroups.length, limits: { concurrency, perHost } }
}

function sourceOf({ targets, targetsCommand, targetsQuery }: TargetSettings): ListSource {
  if (targetsCommand !== undefined) return { from: "command", command: targetsCommand }
  if (targetsQuery !== undefined) return { from: "query", query: targetsQuery }
  return { from: "file", path: targets === "-" || targets === undefined ? "-" : resolve(targets) }
}

/** Who may list this machine's processes reads their arguments: with a URL among them they are replaced. */
function hideUrl(): void {
  if (process.argv.some((word) => word.startsWith("--targets-url"))) process.title = "lockstep"
}
