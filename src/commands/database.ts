import { type Folder, readFolder } from "../history/folder.js"
import { connect } from "../postgres/connect.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { findTarget, type Target } from "../project/database-url.js"
import { refuseOtherPrisma } from "../project/prisma.js"
import type { Project } from "../project/project.js"
import type { Output } from "../report/output.js"
import type { Setting } from "../schema-engine/open.js"
import { announce } from "./announce.js"

/** What the commands work with that need Prisma's schema engine. */
export interface Workplace {
  readonly project: Project
  readonly target: Target
  readonly folder: Folder
  readonly setting: Setting
}

/** Finds the database and reads the folder; says which database it is. Errors: L1304 another Prisma, L11xx, L12xx. */
export async function openWorkplace(project: Project, output: Output): Promise<Workplace> {
  refuseOtherPrisma(project.root)
  const target = await findTarget(project)
  announce(target, output)
  const setting: Setting = {
    url: target.url,
    shadowUrl: project.shadowUrl ? parseDatabaseUrl(project.shadowUrl) : undefined,
    initShadowDb: project.initShadowDb,
    external: project.external,
  }
  return { project, target, folder: readFolder(project.migrationsDir), setting }
}

/**
 * A deploy creates the database that a URL names; what only settles a history must not, or a misspelt name would pass.
 * Errors: L1215 it does not exist, L12xx.
 */
export async function requireDatabase({ url }: Pick<Target, "url">): Promise<void> {
  await (await connect(url)).end()
}
