import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { repository } from "../support/cli.js"

/** Another project's repository, in a temporary folder. */
export interface OtherProject {
  readonly root: string
  write(path: string, content: string): void
  remove(path: string): void
  drop(): void
}

const manifest = {
  name: "shop",
  version: "1.2.3",
  private: true,
  dependencies: { "@prisma/adapter-pg": "7.10.0", "@prisma/client": "7.10.0" },
  devDependencies: { prisma: "^7.10.0", "prisma-lockstep": "file:vendor/prisma-lockstep.tgz", typescript: "5.9.3" },
}

const schema = `generator client {
  provider = "prisma-client"
  output   = "../generated/prisma"
}

datasource db {
  provider = "postgresql"
}

model Customer {
  id    Int    @id @default(autoincrement())
  email String @unique
}
`

const init = `CREATE TABLE "Customer" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL);
CREATE UNIQUE INDEX "Customer_email_key" ON "Customer" ("email");
`

/** What the lockfile resolves the range to. */
export const lockedPrisma = "7.10.1"

/** A project with an unpublished runner from a tarball, and the module's own files as the toolchain to install. */
export async function createOtherProject(): Promise<OtherProject> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lockstep-other-")))
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  write("package.json", `${JSON.stringify(manifest, null, 2)}\n`)
  write("prisma.config.ts", 'import { defineConfig } from "prisma/config"\n\nexport default defineConfig({})\n')
  write("prisma/schema.prisma", schema)
  write("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
  write("prisma/migrations/20260101000000_init/migration.sql", init)
  cpSync(join(repository, "dagger"), join(root, "toolchains/lockstep/dagger"), { recursive: true })
  cpSync(join(repository, "dagger.json"), join(root, "toolchains/lockstep/dagger.json"))
  mkdirSync(join(root, "vendor"))
  await execa("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", root], { cwd: repository })
  await execa("sh", ["-c", "mv prisma-lockstep-*.tgz vendor/prisma-lockstep.tgz"], { cwd: root })
  await execa("npm", ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root })
  await execa("git", ["init", "--quiet"], { cwd: root })
  return {
    root,
    write,
    remove: (path) => rmSync(join(root, path), { recursive: true, force: true }),
    drop: () => rmSync(root, { recursive: true, force: true }),
  }
}
