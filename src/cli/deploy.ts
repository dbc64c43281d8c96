import { existsSync } from "node:fs"
import { join } from "node:path"
import { type DeployRequest, type DeployResult, type DeploySettings, defaultSettings } from "../deploy/context.js"
import { deploy } from "../deploy/deploy.js"
import type { DeployEvent } from "../deploy/events.js"
import type { FleetTarget } from "../fleet/target.js"
import { backfillsFolder, type Folder } from "../history/folder.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import type { Project } from "../project/project.js"
import { version } from "../version.js"
import type { Waiting } from "./database.js"

/** A deploy with the settings of `lockstep deploy`. */
interface DeployCall extends Omit<DeployRequest, "settings" | "beforeApplying"> {
  readonly settings: DeploySettings & {
    readonly verify: "history" | "schema"
    /** The folder for a backup; undefined: none is taken. */
    readonly backupTo?: string | undefined
  }
  /** One of many, whose backups have a folder of their own. */
  readonly target?: FleetTarget
  /** Where the history is replayed to verify the schema. */
  readonly shadow: Pick<Project, "shadowUrl" | "initShadowDb">
}

/** Deploys; its first event says what is deployed where. Errors: those of a deploy. */
export async function runDeploy({ shadow, target, ...request }: DeployCall): Promise<DeployResult> {
  request.onEvent(began(request))
  const { verify, backupTo } = request.settings
  const { findDrift = driftFinder({ ...request, shadow }) } = request
  return await deploy({
    ...request,
    backfills: backfillGuard(request),
    beforeApplying: backupTo === undefined ? undefined : backupTaker({ ...request, dir: backupTo, target }),
    findDrift: verify === "schema" ? findDrift : undefined,
  })
}

interface BackupCall extends Pick<DeployRequest, "url" | "signal" | "onEvent"> {
  readonly dir: string
  readonly target: FleetTarget | undefined
}

/**
 * Takes a backup; nobody else deploys meanwhile, so that the history is as it was read. In a fleet a target that is one
 * schema of a database has a backup of that schema.
 */
function backupTaker({ url, dir, target, signal, onEvent }: BackupCall): DeployRequest["beforeApplying"] {
  return async (client, recorded) => {
    const [{ takeBackup }, { inFileName, stateOf }, { serverVersion }] = await Promise.all([
      import("../backup/backup.js"),
      import("../backup/archive.js"),
      import("../backup/programs.js"),
    ])
    const { path, bytes, durationMs } = await takeBackup({
      url,
      dir: target === undefined ? dir : join(dir, inFileName(target.name)),
      scope: target !== undefined && url.schema !== "public" ? "schema" : "database",
      server: await serverVersion(client),
      history: stateOf(recorded),
      signal,
      onProgress: () => undefined,
    })
    onEvent({ event: "backed-up", file: path, bytes, durationMs })
  }
}

function began({ url, folder }: Pick<DeployRequest, "url" | "folder">): DeployEvent {
  const { host, port, database, schema: databaseSchema } = url
  const { digest: history, migrations } = folder
  return { event: "began", version, history, migrations: migrations.length, host, port, database, databaseSchema }
}

/** Replays the history on a scratch database beside the deployed one. */
function driftFinder({ url, shadow }: Pick<DeployCall, "url" | "shadow">): DeployRequest["findDrift"] {
  const { shadowUrl, initShadowDb } = shadow
  const setting = { url, shadowUrl: shadowUrl ? parseDatabaseUrl(shadowUrl) : undefined, initShadowDb }
  return async (client, applied) => {
    const { findDrift } = await import("../scratch/replay.js")
    return await findDrift(setting, client, applied)
  }
}

/**
 * Applies what is pending as a step of another command, which has an answer of its own. `external`: what others manage,
 * and a database without a history may hold.
 */
export function applyPending(
  { target, signal, onEvent }: Waiting,
  folder: Folder,
  external?: DeployRequest["external"],
): Promise<DeployResult> {
  const settings = { ...defaultSettings, allowEmpty: true }
  const { url } = target
  const backfills = backfillGuard({ url, folder })
  return deploy({ url, folder, external, settings, backfills, applicationName: "lockstep", signal, onEvent })
}

/** Loaded where it is asked something, and the project has backfills or a migration names one. */
function backfillGuard({ url, folder }: Pick<DeployRequest, "url" | "folder">): DeployRequest["backfills"] {
  const loaded = async () => (await import("../backfill/guard.js")).guardFor(folder.dir, url)
  const hasSome = () => existsSync(backfillsFolder(folder.dir))
  return {
    onEmptyHistory: async (client) => {
      if (hasSome()) await (await loaded()).onEmptyHistory(client)
    },
    before: async (...args) => await (await loaded()).before(...args),
    onFirstDeployed: async (client) => {
      if (hasSome()) await (await loaded()).onFirstDeployed(client)
    },
  }
}

/**
 * Runs the project's seed, if it has one. It does not run under the migration lock: it may itself deploy, as it may with
 * Prisma. Returns whether there is one. Errors: L1306 it failed.
 */
export async function seed({ target, signal }: Pick<Waiting, "target" | "signal">, project: Project): Promise<boolean> {
  const { root, seed: command } = project
  if (command === undefined) return false
  const { urlEnvironment } = await import("../project/database-url.js")
  const { runInProject, wordsOf } = await import("../project/run.js")
  await runInProject({
    root,
    command: wordsOf(command),
    typed: command,
    purpose: "seeding",
    variables: urlEnvironment(project, target.url.text),
    signal,
  })
  return true
}
