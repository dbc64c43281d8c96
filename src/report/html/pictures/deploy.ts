import { undoneBy } from "../../../change/undo-file.js"
import type { FolderMigration } from "../../../history/folder.js"
import type { DatabaseUrl } from "../../../postgres/url.js"
import { duration } from "../../deploy.js"
import type { DeployCourse } from "../../formats/deploy-report.js"
import { emptyPicture, type Fact, type HistoryEntry, type HistoryState, type Picture } from "../picture.js"
import { historyFacts, plainMigration, subjectOf } from "./history.js"

/** The picture of a deploy: what it applied, each with its time, and what failed. */
export function deployPicture(course: DeployCourse, folder: readonly FolderMigration[], url: DatabaseUrl): Picture {
  const { planned, applied, failed } = course
  const stateOf = (name: string): HistoryState => {
    if (name === failed) return "failed"
    return planned.includes(name) && !applied.has(name) ? "pending" : "applied"
  }
  const undone = new Map(
    folder.flatMap(({ name, text }) =>
      stateOf(name) === "applied" ? undoneBy(text).map((of) => [of, name] as const) : [],
    ),
  )
  const history = folder.map(({ name }): HistoryEntry => {
    const time = applied.get(name)
    const state = stateOf(name)
    const by = undone.get(name)
    if (state === "applied" && by !== undefined) return { name, state: "undone", note: `by ${by}` }
    return { name, state, note: time === undefined ? undefined : `now, in ${duration(time)}` }
  })
  const migrations = folder.flatMap((migration) => {
    const state = stateOf(migration.name)
    if (state === "applied" && !applied.has(migration.name)) return []
    const time = applied.get(migration.name)
    return { ...plainMigration(migration, state), traits: time === undefined ? [] : [`applied in ${duration(time)}`] }
  })
  const total = [...applied.values()].reduce((sum, time) => sum + time, 0)
  const facts: readonly Fact[] = [
    { label: "Applied now", value: String(applied.size), tone: applied.size > 0 ? "good" : "info" },
    ...(applied.size > 0 ? [{ label: "Time of the migrations", value: duration(total), tone: "info" as const }] : []),
    ...historyFacts(history).filter(({ label }) => label === "Failed" || label === "Pending"),
  ]
  return { ...emptyPicture, subject: subjectOf(url), facts, history, migrations }
}
