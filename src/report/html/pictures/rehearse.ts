import { waitsFor } from "../../../plan/planned.js"
import type { DatabaseUrl } from "../../../postgres/url.js"
import type { Rehearsal, RehearsedMigration, RehearsedStatement, RowsWritten } from "../../../rehearse/rehearse.js"
import { quoted } from "../../../sql/tree.js"
import { rowsText } from "../../amount.js"
import { duration } from "../../deploy.js"
import type { Fact, HistoryEntry, Picture, ShownMigration, ShownStatement } from "../picture.js"
import { historyEntries, subjectOf } from "./history.js"

/** What a rehearsal's page shows: the time and the rows of each statement, who would wait how long, the schema. */
export function rehearsalPicture(rehearsal: Rehearsal, url: DatabaseUrl): Picture {
  const { on, migrations, assertions, history, schema } = rehearsal
  const states = new Map(migrations.map((one) => [one.name, one]))
  const texts = new Map(history.flatMap((one) => (one.state === "pending" ? [[one.name, one.migration.text]] : [])))
  return {
    subject: subjectOf(url),
    basis: `Rehearsed with data on a scratch database (${on}). The database itself was only asked for its history.`,
    remarks: [],
    facts: factsOf(migrations, assertions),
    history: historyEntries(history).map((one) => rehearsed(one, states.get(one.name))),
    migrations: migrations.map((one) => shown(one, texts.get(one.name) ?? "")),
    backfills: [],
    schema,
  }
}

const timeOf = ({ statements }: RehearsedMigration): number =>
  statements.reduce((sum, { durationMs }) => sum + durationMs, 0)

/** The migration is pending still; what happened to it happened on the scratch database. */
function rehearsed(entry: HistoryEntry, migration: RehearsedMigration | undefined): HistoryEntry {
  if (migration === undefined) return entry
  if (migration.state === "failed") return { ...entry, state: "failed", note: "in the rehearsal" }
  if (migration.state === "not reached") return { ...entry, note: "not reached in the rehearsal" }
  return { ...entry, note: `rehearsed in ${duration(timeOf(migration))}` }
}

function factsOf(migrations: Rehearsal["migrations"], assertions: Rehearsal["assertions"]): readonly Fact[] {
  const applied = migrations.filter(({ state }) => state === "applied").length
  const held = assertions.filter(({ rows }) => rows === 0).length
  const isWhole = applied === migrations.length
  const total = migrations.reduce((sum, one) => sum + timeOf(one), 0)
  const longest = migrations
    .flatMap(({ statements }) => statements)
    .toSorted((one, other) => other.durationMs - one.durationMs)[0]
  return [
    { label: "Applied in the rehearsal", value: `${applied} of ${migrations.length}`, tone: isWhole ? "good" : "bad" },
    { label: "Time of the migrations", value: duration(total), tone: "info" },
    ...(longest === undefined
      ? []
      : [{ label: "Longest statement", value: duration(longest.durationMs), tone: "info" as const }]),
    ...(assertions.length === 0
      ? []
      : [
          {
            label: "Assertions that hold",
            value: `${held} of ${assertions.length}`,
            tone: held === assertions.length ? ("good" as const) : ("bad" as const),
          },
        ]),
  ]
}

function shown({ name, file, state, statements }: RehearsedMigration, sql: string): ShownMigration {
  const trait = { applied: "applied", failed: "failed", "not reached": "not reached" }[state]
  const time = statements.reduce((sum, { durationMs }) => sum + durationMs, 0)
  return {
    ...{
      name,
      sql,
      scale: "measured",
      file: file.replaceAll("\\", "/"),
      state: state === "failed" ? "failed" : "pending",
    },
    traits: [state === "not reached" ? "not reached in the rehearsal" : `${trait} in the rehearsal, ${duration(time)}`],
    statements: statements.map(shownStatement),
  }
}

function shownStatement({ line, durationMs, rows, locks }: RehearsedStatement): ShownStatement {
  const written = new Map(rows.map((one) => [one.table, rowsWritten(one)]))
  return {
    ...{
      line,
      width: durationMs,
      time: duration(durationMs),
      rows: rows.map((one) => `"${one.table}" ${rowsWritten(one)}`),
    },
    locks: locks.map(({ table, lock, until }) => {
      const what = written.get(table)
      return {
        table: quoted({ name: table }),
        size: undefined,
        lock,
        waits: waitsFor(lock),
        until,
        work: what ? [what] : [],
      }
    }),
  }
}

function rowsWritten({ inserted, updated, deleted }: RowsWritten): string {
  const parts = [
    [inserted, "inserts"],
    [updated, "updates"],
    [deleted, "deletes"],
  ] as const
  return parts.flatMap(([count, what]) => (count > 0 ? [`${what} ${rowsText(count)}`] : [])).join(", ")
}
