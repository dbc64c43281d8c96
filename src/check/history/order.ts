import { rename } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { migrationName } from "../../change/migration-file.js"
import { byName, type FolderMigration } from "../../history/folder.js"
import { defineCheck, type Problem } from "../check.js"

const init = 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n'
const total = 'ALTER TABLE "Order" ADD COLUMN "total" int;\n'
const note = 'ALTER TABLE "Order" ADD COLUMN "note" text;\n'

/** A new migration runs after all that the base has and the database applied. */
export const order = defineCheck({
  id: "history/order",
  title: "a new migration sorts before one that others already have",
  why: "Databases that have the later one apply this one after it, new databases before it: the same history, run in two orders.",
  level: "error",
  needs: ["changes"],
  needsOneOf: ["base", "database"],
  fixes: "renames the migration, so that it is the last one",
  examples: {
    fails: {
      base: { "20260101000000_init": init, "20260103000000_total": total },
      branch: { "20260102000000_note": note },
    },
    passes: {
      base: { "20260101000000_init": init, "20260103000000_total": total },
      branch: { "20260104000000_note": note },
    },
  },
  run: async ({ changes, base, database }) => {
    const isNew = new Set(changes.migrations.map(({ name }) => name))
    const applied = new Set(database?.comparison.applied.map(({ name }) => name))
    const others = [...(base?.migrations.keys() ?? []), ...applied].filter((name) => !isNew.has(name))
    const latest = others.toSorted(byName).at(-1)
    if (latest === undefined) return []
    const early = changes.migrations.filter(({ name }) => byName(name, latest) < 0)
    const [first] = early
    if (first === undefined) return []
    // What comes after it may build on it, and so moves with it.
    const moved = changes.migrations.slice(changes.migrations.indexOf(first))
    const isFixable = !moved.some(({ name }) => applied.has(name))
    const fix = once(() => moveBehind(moved, [...others, ...changes.before.map(({ name }) => name)]))
    const who = base?.migrations.has(latest) ? `which ${base.ref} has` : "which is applied in the database"
    return early.map(
      ({ name, path }): Problem => ({
        message: `${name} sorts before ${latest}, ${who}.`,
        file: relative(process.cwd(), path),
        object: name,
        next: isFixable
          ? "`lockstep check history/order --fix`"
          : "it is applied in this database already; on a test database: `lockstep reset`, then `lockstep check history/order --fix`",
        fix: isFixable ? fix : undefined,
      }),
    )
  },
})

/** Renames migrations in their order, so that they sort behind `others`. */
async function moveBehind(moved: readonly FolderMigration[], others: readonly string[]): Promise<readonly string[]> {
  const names = [...others, ...moved.map(({ name }) => name)]
  const done: string[] = []
  for (const { name, path } of moved) {
    const to = migrationName(name.replace(/^\d+_(?=.)/, ""), names, new Date())
    names.push(to)
    await rename(dirname(path), join(dirname(path), "..", to))
    done.push(`renamed ${name} to ${to}`)
  }
  return done
}

/** The problems of one run share their correction. */
function once(work: NonNullable<Problem["fix"]>): NonNullable<Problem["fix"]> {
  let begun = false
  return async () => {
    if (begun) return []
    begun = true
    return await work()
  }
}
