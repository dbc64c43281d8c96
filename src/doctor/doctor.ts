import type { Result } from "../check/finding.js"
import { closeDatabase } from "../deploy/connect/database.js"
import { LockstepError } from "../errors.js"
import { type Folder, readFolder } from "../history/folder.js"
import { readHistory } from "../history/recorded.js"
import { type Client, connect } from "../postgres/connect.js"
import { findTarget, type Target } from "../project/database-url.js"
import type { Project } from "../project/project.js"
import {
  type DatabaseContext,
  type Examination,
  failed,
  type Outcome,
  type ProjectContext,
  passed,
  resultOf,
  skipped,
} from "./examination.js"
import { drift, rows, state } from "./history.js"
import { image } from "./image.js"
import { migrations, node, prisma, problemOf } from "./project.js"
import { create, owner, scratch } from "./rights.js"
import { connection, extensions, version } from "./server.js"

const ofProject: readonly Examination<ProjectContext>[] = [node, prisma, migrations, image]

const reachable = {
  id: "database/reachable",
  title: "the database can be reached",
  why: "Without a connection nothing else about the database can be known.",
} as const

const ofDatabase: readonly Examination<DatabaseContext>[] = [
  version,
  connection,
  create,
  owner,
  scratch,
  extensions,
  rows,
  state,
  drift,
]

/** Every examination, in the order in which they are listed. */
export const examinations: readonly Pick<Examination<never>, "id" | "title" | "why">[] = [
  ...ofProject,
  reachable,
  ...ofDatabase,
]

/**
 * Examines a project and the database that its environment names, one question after another, and gives each answer as it
 * is known. What cannot be examined is skipped, with the reason. Changes nothing but a scratch database of its own.
 */
export async function* examineProject(project: Project): AsyncGenerator<Result> {
  const folder = readableFolder(project)
  for (const one of ofProject) yield await examined(one, { project, folder })
  const opened = await open(project)
  if ("state" in opened) {
    yield resultOf(reachable, opened, 0)
    return
  }
  yield resultOf(reachable, passed, 0)
  const { client, target } = opened
  try {
    const history = await readHistory(client, target.url.schema).catch((error: unknown) => failed(problemOf(error)))
    const isRead = history === undefined || !("state" in history)
    const context = { project, folder, target, client, recorded: isRead ? history : undefined }
    for (const one of ofDatabase) {
      yield one === rows && !isRead ? resultOf(one, history, 0) : await examined(one, context)
    }
  } finally {
    await closeDatabase(client)
  }
}

async function open(project: Project): Promise<{ readonly target: Target; readonly client: Client } | Outcome> {
  try {
    const target = await findTarget(project)
    return { target, client: await connect(target.url, { applicationName: "lockstep doctor" }) }
  } catch (error) {
    const isUnnamed = error instanceof LockstepError && error.code === "L1205"
    return isUnnamed ? skipped(`${error.message}; no question about it was asked`) : failed(problemOf(error))
  }
}

/** What PostgreSQL or the file system refuses fails the question that needs it, and no other. */
async function examined<C extends ProjectContext>(examination: Examination<C>, context: C): Promise<Result> {
  const started = performance.now()
  const outcome = await (async () => await examination.examine(context))().catch((error: unknown) =>
    failed(problemOf(error)),
  )
  return resultOf(examination, outcome, Math.round(performance.now() - started))
}

function readableFolder({ migrationsDir }: Project): Folder | undefined {
  try {
    return readFolder(migrationsDir)
  } catch {
    return undefined
  }
}
