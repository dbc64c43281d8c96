import { compare, duplicateRemarks } from "../history/compare.js"
import { hasFailed, isApplied, type RecordedRow } from "../history/recorded.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import type { ScratchSetting } from "../scratch/database.js"
import { findDrift } from "../scratch/replay.js"
import {
  type DatabaseContext,
  type Examination,
  failed,
  failedWith,
  few,
  type Outcome,
  type Problem,
  passed,
  skipped,
  warned,
} from "./examination.js"
import { mayScratch } from "./rights.js"

const noHistory = "the database has no history"

export const rows: Examination<DatabaseContext> = {
  id: "history/rows",
  title: "the history's rows are as Prisma and Lockstep write them",
  why: "Rows that were edited by hand may make a deploy apply a migration twice, or never.",
  examine({ recorded }) {
    if (recorded === undefined) return skipped(noHistory)
    const problems = recorded.flatMap((row) =>
      strangeIn(row).map((what): Problem => ({ message: `${row.name}: ${what}`, next: byHand })),
    )
    const duplicates = compare([], recorded).duplicates
    const all = [...problems, ...duplicateRemarks(duplicates).map((message): Problem => ({ message }))]
    return failedWith(all)
  },
}

const byHand = "correct the row by hand, or let `lockstep resolve` write it"

/** What in a row neither Prisma nor Lockstep writes: somebody has edited it. */
export function strangeIn(row: RecordedRow): readonly string[] {
  const { id, checksum, startedAt, finishedAt, steps } = row
  const signs: readonly (readonly [boolean, string])[] = [
    [!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id), `its id ${JSON.stringify(id)} is no UUID`],
    // Old versions of Prisma wrote each byte without a leading zero.
    [!/^[0-9a-f]{32,64}$/.test(checksum), "its checksum is no SHA-256 in hexadecimal"],
    [finishedAt !== null && finishedAt < startedAt, `it ended (${finishedAt}) before it began (${startedAt})`],
    [steps < 0, `it has ${steps} steps`],
  ]
  return signs.flatMap(([is, what]) => (is ? [`${what}; the row was written by hand`] : []))
}

export const state: Examination<DatabaseContext> = {
  id: "history/state",
  title: "no migration has failed, and none was edited or lost after it was applied",
  why: "A failed migration stops every deploy; an edited one means that databases differ.",
  examine({ recorded, folder }) {
    if (recorded === undefined) return skipped(noHistory)
    if (folder === undefined) return skipped("the migrations cannot be read")
    const { missing, edited, ahead } = compare(folder.migrations, recorded)
    const failures = recorded.filter(hasFailed).map(({ name }) => name)
    if (failures.length > 0) {
      return failed({
        message: `${few(failures)} has failed: no deploy goes past it`,
        next: "`lockstep deploy` says why and what to do",
      })
    }
    const problems: Problem[] = []
    if (edited.length > 0) {
      problems.push({
        message: `${few(edited.map(({ name }) => name))} was edited after it was applied: this database is not what the files say`,
        next: "restore the file, and write the change as a new migration",
      })
    }
    if (missing.length > 0 && !ahead) {
      problems.push({
        message: `${few(missing.map(({ name }) => name))} is recorded in the database, and not in the folder`,
        next: "restore the folder's migrations from version control",
      })
    }
    return problems.length > 0 ? warned(...problems) : passed
  },
}

export const drift: Examination<DatabaseContext> = {
  id: "schema/drift",
  title: "the database's schema is what its history makes",
  why: "What was changed by hand in the database makes a later migration fail, or is lost in it.",
  async examine(context): Promise<Outcome> {
    const { recorded, folder, project, client } = context
    if (folder === undefined) return skipped("the migrations cannot be read")
    if (recorded === undefined) return skipped(noHistory)
    if (compare(folder.migrations, recorded).missing.length > 0)
      return skipped("the folder does not hold the whole history")
    if (project.shadowUrl === undefined && !(await mayScratch(context)))
      return skipped("it needs a scratch database, see rights/scratch")
    const texts = new Map(folder.migrations.map(({ name, text }) => [name, text]))
    const steps = recorded.filter(isApplied).flatMap(({ name }) => {
      const sql = texts.get(name)
      return sql === undefined ? [] : [{ name, sql }]
    })
    const { missing, unexpected } = await findDrift(scratchSettingOf(context), client, steps)
    const lines = [
      ...missing.map((line) => `missing, or different:  ${line}`),
      ...unexpected.map((line) => `not from the history:   ${line}`),
    ]
    if (lines.length === 0) return passed
    return failed({
      message: `the schema has drifted from the history in ${lines.length === 1 ? "one object" : `${lines.length} objects`}; a migration that touches them may fail\n${lines.slice(0, 20).join("\n")}`,
      next: "`lockstep diff history database` shows all of it; write it as a migration, or revert it by hand",
    })
  },
}

const scratchSettingOf = ({ project, target }: DatabaseContext): ScratchSetting => ({
  url: target.url,
  shadowUrl: project.shadowUrl ? parseDatabaseUrl(project.shadowUrl) : undefined,
  initShadowDb: project.initShadowDb,
})
