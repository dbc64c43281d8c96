import { connect } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { openScratchCopy, openTemplate, type ReplayedHistory, type ScratchSetting } from "./database.js"
import type { Step } from "./replay.js"
import { keptTemplate, mayCreate, type Replaying, replayedAnew } from "./template.js"

/**
 * Replays a history once, so that each further use of it on the server of `url` is a copy. The database is kept there as
 * a template. The role of `url` may create databases. Errors: L1404, L1406 as above.
 */
export async function keepHistory(setting: Replaying, steps: readonly Step[]): Promise<ReplayedHistory> {
  const admin = await connect(setting.url, { applicationName: "lockstep scratch" })
  try {
    return copiesOf(await keptTemplate(admin, { ...setting, holds: "history" }, steps), setting, steps)
  } finally {
    await admin.end()
  }
}

/** Whether to replay migrations takes as long as to copy a database: they are few, and none stands for many. */
export const isQuick = (steps: readonly Step[]): boolean =>
  steps.length < 10 && steps.reduce((sum, { sql }) => sum + sql.length, 0) < 20_000

/**
 * Does work in which several scratch databases begin with a history: it is replayed once, and they are copies. On a test
 * database's server, and on a configured one, it stays for the next command, as what a plan replays does; elsewhere it is
 * dropped after the work. A role that may not create databases has it replayed each time.
 * Errors: L1404, L1406 as above.
 */
export async function withHistory<S extends ScratchSetting, T>(
  setting: S,
  steps: readonly Step[],
  work: (setting: S) => Promise<T>,
): Promise<T> {
  const { url, shadowUrl, history, initShadowDb, isTestServer } = setting
  if (history !== undefined || isQuick(steps)) return await work(setting)
  if (shadowUrl !== undefined && !(await mayCreateOn(shadowUrl))) return await work(setting)
  const replaying = { url: shadowUrl ?? url, schema: url.schema, initShadowDb }
  if (shadowUrl !== undefined || isTestServer) {
    const kept = await keepHistory(replaying, steps)
    // A pooler in front of another server might hold the connection for longer.
    const read = shadowUrl === undefined ? () => openTemplate(url, kept.template) : undefined
    return await work({ ...setting, history: { ...kept, read } })
  }
  const database = await replayedAnew(replaying, steps)
  try {
    return await work({ ...setting, history: copiesOf(await database.asTemplate(), replaying, steps) })
  } finally {
    await database.drop()
  }
}

function copiesOf(template: string, setting: Replaying, steps: readonly Step[]): ReplayedHistory {
  const { url, schema, initShadowDb } = setting
  return {
    template,
    scripts: [...(initShadowDb ? [initShadowDb] : []), ...steps.map(({ sql }) => sql)],
    // Another command may have dropped it meanwhile.
    open: () => openScratchCopy({ ...url, schema }, template).catch(() => replayedAnew(setting, steps)),
  }
}

async function mayCreateOn(url: DatabaseUrl): Promise<boolean> {
  const admin = await connect(url, { applicationName: "lockstep scratch" })
  return await mayCreate(admin).finally(() => admin.end())
}
