import { relative } from "node:path"
import { defineCheck, type Problem } from "../check.js"

const init = 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n'
const total = 'ALTER TABLE "Order" ADD COLUMN "total" int;\n'

/** A new migration's name is a time and words, and its time is its own. */
export const name = defineCheck({
  id: "history/name",
  title: "a migration's name does not say when it runs",
  why: "Migrations run in the order of their names. Without a timestamp, with one of the future or with another one's, that order is not the order in which they were written.",
  level: "error",
  needs: ["changes"],
  examples: {
    fails: { base: { "20260101000000_init": init }, branch: { add_total: total } },
    passes: { base: { "20260101000000_init": init }, branch: { "20260102000000_add_total": total } },
  },
  run: async ({ changes }) => {
    const names = [...changes.before, ...changes.migrations].map(({ name }) => name)
    return changes.migrations.flatMap(({ name, path }): readonly Problem[] => {
      const problem = problemOf(name, names)
      if (problem === undefined) return []
      const next = "rename its folder, as long as it is applied nowhere: <yyyymmddhhmmss in UTC>_<words>"
      return [{ message: `${name} ${problem}.`, file: relative(process.cwd(), path), object: name, next }]
    })
  },
})

const dayMs = 86_400_000

function problemOf(name: string, names: readonly string[]): string | undefined {
  const [, stamp, words] = /^(\d{14})_(.+)$/s.exec(name) ?? []
  if (stamp === undefined || words === undefined) return "is not 14 digits, an underscore and words"
  if (!/^[\p{Letter}\p{Number}_-]+$/u.test(words)) return "has characters other than letters, digits, _ and -"
  const time = timeOf(stamp)
  if (Number.isNaN(time)) return `begins with ${stamp}, which is no time`
  if (time > Date.now() + dayMs) return "has a time in the future"
  const twin = names.find((other) => other.startsWith(stamp) && partOf(other) !== partOf(name))
  return twin && `has the same time as ${twin}`
}

/** What history/mixed splits where the next second is taken: `…_note` and `…_note_2` are parts of one, and in order. */
const partOf = (name: string): string => name.replace(/_\d+$/, "")

/** 14 digits as a time in UTC; NaN where there is no such time. */
function timeOf(stamp: string): number {
  const iso = stamp.replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6.000Z")
  const time = Date.parse(iso)
  return Number.isNaN(time) || new Date(time).toISOString() !== iso ? Number.NaN : time
}
