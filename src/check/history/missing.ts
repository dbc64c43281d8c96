import { writeMigration } from "../../change/migration-file.js"
import type { Folder } from "../../history/folder.js"
import type { Base } from "../base.js"
import { defineCheck, type Problem } from "../check.js"

const init = { "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n' }

/** No migration that others have, or that is applied, is gone. */
export const missing = defineCheck({
  id: "history/missing",
  title: "a shared migration is missing from the folder",
  why: "A new database never gets what the missing migration made, and Prisma's migrate dev wants to reset every database that has it.",
  level: "error",
  needsOneOf: ["base", "database"],
  needs: ["folder"],
  fixes: "restores the file from the base",
  examples: {
    fails: {
      base: { ...init, "20260102000000_total": 'ALTER TABLE "Order" ADD COLUMN "total" int;\n' },
      branch: { "20260102000000_total": null },
    },
    passes: {
      base: init,
      branch: { "20260102000000_total": 'ALTER TABLE "Order" ADD COLUMN "total" int;\n' },
    },
  },
  run: async ({ folder, base, database }) => {
    const gone = missingFrom(folder, base)
    // A branch that is behind its base lacks what the base got since.
    const applied =
      database?.comparison.missing.filter(({ name }) => !base?.migrations.has(name) && !gone.has(name)) ?? []
    return [
      ...[...gone].map(
        ([name, sql]): Problem => ({
          message: `${name} is on ${base?.ref} and not in ${folder.dir}.`,
          object: name,
          next: "`lockstep check history/missing --fix`",
          fix: async () => {
            await writeMigration(folder.dir, name, sql)
            return [`restored ${name}`]
          },
        }),
      ),
      ...applied.map(
        ({ name }): Problem => ({
          message: `${name} is applied in the database and not in ${folder.dir}.`,
          object: name,
          next: "restore it from the branch that made it; on a test database `lockstep reset` begins anew",
        }),
      ),
    ]
  },
})

/** What the branch has removed: the base's newer migrations do not count. */
function missingFrom({ migrations }: Folder, base: Base | undefined): ReadonlyMap<string, string> {
  const replaced = migrations.flatMap(({ squash }) => squash?.replaces ?? [])
  const names = new Set([...migrations, ...replaced].map(({ name }) => name))
  return new Map([...(base?.forked ?? [])].filter(([name]) => !names.has(name) && base?.migrations.has(name)))
}
