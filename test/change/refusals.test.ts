import { expect, test } from "vitest"
import type { NewMigration } from "../../src/change/create-migration.js"
import { migrationRefusal } from "../../src/change/refusals.js"

const migration: NewMigration = {
  state: "new",
  ...{ name: "20260101000000_x", sql: "", precededBy: undefined, warnings: [], unexecutable: [] },
  ...{ losses: [], unaccepted: [], renames: [] },
  candidates: [{ gone: 'column "User"."note"', to: "remark", place: "User", flag: "--rename User.note=remark" }],
}
const consent = { name: "x", createOnly: true, acceptDataLoss: false }

test("the command to type keeps what was said already", () => {
  const told = ["Order.total=amount", "Größe.alt=neu"]
  expect(migrationRefusal(migration, consent, told)).toMatchObject({
    code: "L1410",
    details: {
      next: "`lockstep migrate --name x --rename Order.total=amount --rename 'Größe.alt=neu' --rename User.note=remark --create-only`, or add --accept-data-loss when that data may go",
    },
  })
})

test("nothing is refused that was accepted, or where nothing is lost", () => {
  expect(migrationRefusal(migration, { ...consent, acceptDataLoss: true }, [])).toBeUndefined()
  expect(migrationRefusal({ ...migration, candidates: [] }, consent, [])).toBeUndefined()
})
