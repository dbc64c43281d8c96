import type { Setting } from "../engine/setting.js"
import { type Folder, readFolder } from "../history/folder.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { findTarget, type Target } from "../project/database-url.js"
import { refuseOtherPrisma } from "../project/prisma.js"
import type { Project } from "../project/project.js"
import type { Output } from "../report/output.js"
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
