import { writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { lockfileText } from "../../schema-engine/engine.js"
import { defineCheck } from "../check.js"

const init = { "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n' }

/** The folder says for which database its SQL is. */
export const lockFile = defineCheck({
  id: "history/lock-file",
  title: "migration_lock.toml is missing",
  why: "Prisma reads from it that the migrations are PostgreSQL's. Without it a changed provider in the schema is not noticed.",
  level: "error",
  needs: ["folder"],
  fixes: "writes the file",
  examples: {
    fails: { base: init, branch: { "migrations/migration_lock.toml": null } },
    passes: { base: init, branch: { "migrations/migration_lock.toml": 'provider = "postgresql"\n' } },
  },
  run: async ({ folder }) => {
    if (folder.lockfile !== undefined || folder.migrations.length === 0) return []
    const path = join(folder.dir, "migration_lock.toml")
    const file = relative(process.cwd(), path)
    const fix = async () => {
      await writeFile(path, lockfileText)
      return [`wrote ${file}`]
    }
    const message = `${file} does not exist; it belongs into version control.`
    return [{ message, file, next: "`lockstep check history/lock-file --fix`", fix }]
  },
})
