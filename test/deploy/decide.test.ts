import { expect, test } from "vitest"
import { planDeploy } from "../../src/deploy/decide.js"
import { compare } from "../../src/history/compare.js"
import type { FolderMigration } from "../../src/history/folder.js"
import type { RecordedRow } from "../../src/history/recorded.js"

const migration = (name: string): FolderMigration => ({
  name,
  path: `${name}/migration.sql`,
  text: name,
  checksum: name,
})

const row = (name: string, more: Partial<RecordedRow> = {}): RecordedRow => ({
  id: name,
  name,
  checksum: name,
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:00:01.000Z",
  rolledBackAt: null,
  steps: 1,
  logs: null,
  ...more,
})

const failed = (name: string, logs: string | null) => row(name, { finishedAt: null, steps: 1, logs })
const ours = "Lockstep applies it statement by statement: 1 of 3 done (digest 0123456789ab)."
const lenient = { strict: false, resume: false }
const nobody = new Set<string>()

const plan = (folder: string[], rows: RecordedRow[], settings = lenient, own: ReadonlySet<string> = nobody) =>
  planDeploy(compare(folder.map(migration), rows), settings, own)

test("what is pending is applied, in order", () => {
  expect(plan(["1", "2", "3"], [row("1")])).toMatchObject({
    kind: "go",
    apply: [{ name: "2" }, { name: "3" }],
    notes: [],
  })
})

test("edited, missing and out-of-order migrations are noted, and refused only under strict", () => {
  const rows = [row("1", { checksum: "another" }), row("3"), row("0")]
  expect(plan(["1", "2", "3"], rows)).toMatchObject({
    kind: "go",
    apply: [{ name: "2" }],
    notes: [
      "1 was edited after it was applied",
      "2 is pending, though newer migrations are applied",
      "0 is recorded in the database, but not in the folder",
    ],
  })
  expect(() => plan(["1", "2", "3"], rows, { strict: true, resume: false })).toThrow("differ in 3 ways")
})

test("a database that is only ahead is one note", () => {
  expect(plan(["1"], [row("1"), row("2"), row("3")])).toMatchObject({
    kind: "go",
    apply: [],
    notes: ["the database is ahead of this folder by 2 migrations (last: 3)"],
  })
})

test("a failed migration blocks; with --resume what Lockstep started is resumed, before everything else", () => {
  expect(plan(["1", "2"], [failed("1", ours)])).toMatchObject({ kind: "blocked", failed: { name: "1" }, others: 0 })
  expect(plan(["1", "2"], [failed("1", ours)], { strict: false, resume: true })).toMatchObject({
    kind: "go",
    apply: [{ name: "1" }, { name: "2" }],
    resume: { failed: { name: "1" }, cause: "--resume" },
  })
})

test("a deploy resumes its own row after a lost connection, without --resume", () => {
  expect(plan(["1"], [failed("1", ours)], lenient, new Set(["1"]))).toMatchObject({
    resume: { cause: "lost connection" },
  })
})

test("somebody else's failed row is never resumed after a lost connection", () => {
  expect(plan(["1"], [failed("1", ours)], lenient, new Set(["another"]))).toMatchObject({ kind: "blocked" })
})

test("what Lockstep did not start cannot be resumed: nobody counted its statements", () => {
  expect(plan(["1"], [failed("1", "ERROR: of Prisma's")], { strict: false, resume: true })).toMatchObject({
    kind: "blocked",
  })
  expect(plan(["1"], [failed("1", null)], { strict: false, resume: true })).toMatchObject({ kind: "blocked" })
})

test("two failed migrations block even with --resume, and the second is counted", () => {
  expect(plan(["1", "2"], [failed("1", ours), failed("2", ours)], { strict: false, resume: true })).toMatchObject({
    kind: "blocked",
    others: 1,
  })
})
