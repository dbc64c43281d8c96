import { mkdir, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { checksumOf, type FolderMigration, matchesChecksum } from "../../history/folder.js"
import type { Project } from "../../project/project.js"
import type { Base } from "../base.js"
import { defineCheck, type Problem } from "../check.js"
import type { Database } from "../resources.js"

const init = 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n'

/** A migration that others have, or that is applied, is as it was. */
export const edited = defineCheck({
  id: "history/edited",
  title: "a migration was edited after it was shared",
  why: "A migration runs once. Where it is applied already its edit never runs, and every new database gets another schema than the old ones.",
  level: "error",
  needs: ["folder"],
  needsOneOf: ["base", "database"],
  fixes: "restores the file from the base; the edit is kept in .lockstep/edited",
  examples: {
    fails: {
      base: { "20260101000000_init": init },
      branch: { "20260101000000_init": `${init}CREATE INDEX "Order_id" ON "Order" ("id");\n` },
    },
    passes: {
      base: { "20260101000000_init": init },
      branch: { "20260102000000_order_index": 'CREATE INDEX "Order_id" ON "Order" ("id");\n' },
    },
  },
  run: async ({ folder, base, database, project }) =>
    folder.migrations.flatMap((migration): readonly Problem[] => {
      const shared = base && sharedText(base, migration)
      const place = { file: relative(process.cwd(), migration.path), object: migration.name }
      if (base && shared !== undefined) {
        const fix = () => restore(project, migration, shared)
        const message = `${migration.name} is not as it is on ${base.ref}, and may be applied elsewhere.`
        return [
          {
            ...place,
            message,
            next: "`lockstep check history/edited --fix`, then write the change as a new migration",
            fix,
          },
        ]
      }
      const row = database && recorded(database, migration)
      if (!row) return []
      const checksums = `recorded ${row.slice(0, 8)}…, file ${migration.checksum.slice(0, 8)}…`
      const message = `${migration.name} was edited after it was applied: ${checksums}.`
      return [
        { ...place, message, next: "restore the file, then write the change as a new migration: `lockstep migrate`" },
      ]
    }),
})

/** The text on the base where the file differs from it; line ends do not count, nor does that it was squashed. */
function sharedText(base: Base, { name, text, checksum, squash }: FolderMigration): string | undefined {
  const shared = base.forked.get(name) ?? base.migrations.get(name)
  const replaced = squash?.replaces.at(-1)?.checksum
  if (shared !== undefined && replaced === checksumOf(shared.replaceAll("\r\n", "\n"))) return undefined
  const same = (other: string | undefined) => other !== undefined && matchesChecksum(text, checksum, checksumOf(other))
  return same(shared) || same(base.migrations.get(name)) ? undefined : shared
}

const recorded = ({ comparison }: Database, { name }: FolderMigration): string | undefined =>
  comparison.edited.find((one) => one.name === name)?.row.checksum

async function restore({ root }: Project, { name, path, text }: FolderMigration, shared: string) {
  const folder = join(root, ".lockstep/edited")
  const kept = join(folder, `${name}.sql`)
  await mkdir(folder, { recursive: true })
  await writeFile(kept, text)
  await writeFile(path, shared)
  return [`${name} is as it was; the edit is in ${relative(process.cwd(), kept)}`]
}
