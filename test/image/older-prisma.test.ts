import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { expect, onTestFinished, test } from "vitest"
import { readFolder } from "../../src/history/folder.js"
import { assembleImage } from "../../src/image/image.js"
import { loadProject } from "../../src/project/project.js"
import { installOlderPrisma, olderVersions } from "../support/older-prisma.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

const schema = `datasource db {\n  provider = "postgresql"\n  url      = env("SHOP_URL")\n}\n\nmodel User {\n  id Int @id\n}\n`
const migrations = {
  "20260101000000_init": 'CREATE TABLE "User" ("id" INTEGER NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));\n',
}

test.each(olderVersions)("with Prisma %s its CLI deploys from the image's files alone", async (version) => {
  const installed = await installOlderPrisma(version)
  if (installed === undefined) return
  const { root, migrationsDir } = createProject({ schema, migrations })
  symlinkSync(join(installed.root, "node_modules"), join(root, "node_modules"))
  const folder = mkdtempSync(join(tmpdir(), "lockstep-image-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const out = join(folder, "parts")
  const { labels } = await assembleImage({
    project: await loadProject({ root }, "migrations"),
    folder: readFolder(migrationsDir),
    out,
    kind: "full",
    only: undefined,
    keep: [],
    backupTools: undefined,
    source: undefined,
    revision: undefined,
    version: undefined,
  })
  expect(labels["dev.lockstep.prisma.version"] ?? JSON.stringify(labels)).toContain(version)
  const image = join(folder, "image")
  for (const layer of readdirSync(join(out, "layers")).sort())
    cpSync(join(out, "layers", layer), image, { recursive: true })
  const database = await createDatabase()
  const variables: Record<string, string> = JSON.parse(readFileSync(join(out, "env.json"), "utf8"))
  const env = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replace(/^\/app/, join(image, "app"))]),
  )
  const run = async (script: string, ...args: string[]) =>
    await execa(process.execPath, [join(image, "app/node_modules", script), ...args], {
      cwd: join(image, "app"),
      env: { ...env, PATH: process.env.PATH, SHOP_URL: database.url },
      extendEnv: false,
      reject: false,
      all: true,
    })
  const deployed = await run("prisma/build/index.js", "migrate", "deploy")
  expect(deployed.all).toContain("All migrations have been successfully applied.")
  expect((await run("prisma-lockstep/dist/cli.js", "status")).all).toContain("Up to date: 1 of 1 migrations applied.")
})
