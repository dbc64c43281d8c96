import pg from "pg"
import { createColors } from "picocolors"
import { expect, test } from "vitest"
import { LockstepError } from "../../src/errors.js"
import { asLockstepError, errorObject, renderError } from "../../src/report/error.js"

const plain = createColors(false)
const failed = new LockstepError("L1012", 'column "totl" does not exist', {
  file: "prisma/migrations/x/migration.sql",
  line: 4,
  column: 30,
  excerpt: "    4 |  UPDATE x;\n      |         ^",
  sqlstate: "42703",
  hint: "PostgreSQL hints: one\nand two",
  state: "nothing was applied.",
  next: "fix the file\nor that",
  cause: new Error("secret"),
})

test("what failed, where, why, the state, and what to type next, in this order", () => {
  expect(renderError(failed, plain)).toBe(
    [
      'error[L1012]: column "totl" does not exist (PostgreSQL 42703)',
      "  prisma/migrations/x/migration.sql:4:30",
      "    4 |  UPDATE x;",
      "      |         ^",
      "  PostgreSQL hints: one",
      "  and two",
      "  state:  nothing was applied.",
      "  next:   fix the file",
      "          or that",
    ].join("\n"),
  )
})

test("a server's words do not pass for ours: its further lines are set apart", () => {
  const message = "first\nerror[L1000]: second"
  const hint = "PostgreSQL's detail: one\nstate:  two\nnext:   three"
  expect(renderError(new LockstepError("L1012", message, { hint }), plain).split("\n")).toEqual([
    "error[L1012]: first",
    "    error[L1000]: second",
    "  PostgreSQL's detail: one",
    "    state:  two",
    "    next:   three",
  ])
})

test("what is not known is left out", () => {
  expect(renderError(new LockstepError("L1301", "wrong"), plain)).toBe("error[L1301]: wrong")
})

test("programs get the same without the cause", () => {
  const { cause: _, ...details } = failed.details
  expect(errorObject(failed)).toEqual({
    schema: "lockstep.error/1",
    code: "L1012",
    message: failed.message,
    ...details,
  })
})

test("an error of the server's that nobody foresaw keeps its SQLSTATE; any other is a defect", () => {
  const refused = Object.assign(new pg.DatabaseError("permission denied", 0, "error"), {
    code: "42501",
    severity: "ERROR",
  })
  expect(asLockstepError(refused)).toMatchObject({ code: "L1220", details: { sqlstate: "42501" } })
  expect(asLockstepError(new TypeError("x is undefined"))).toMatchObject({ code: "L1000", message: "x is undefined" })
  expect(asLockstepError("text")).toMatchObject({ code: "L1000", message: "text" })
  expect(asLockstepError(failed)).toBe(failed)
})
