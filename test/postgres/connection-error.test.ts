import pg from "pg"
import { expect, test } from "vitest"
import { connectionError, mayComeUp } from "../../src/postgres/connection-error.js"
import { endsSession } from "../../src/postgres/sqlstate.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"

const url = parseDatabaseUrl("postgresql://app:s3cret@db.internal:5432/shop")

function fromServer(code: string, message = "no"): pg.DatabaseError {
  const error = new pg.DatabaseError(message, 0, "error")
  return Object.assign(error, { code, severity: "FATAL" })
}

const fromSystem = (code: string) => Object.assign(new Error(code), { code })

const waitedFor: [unknown, string][] = [
  [fromSystem("ECONNREFUSED"), "L1210"],
  [fromSystem("ENOTFOUND"), "L1211"],
  [fromSystem("EAI_AGAIN"), "L1211"],
  [fromSystem("ETIMEDOUT"), "L1212"],
  [fromSystem("EHOSTUNREACH"), "L1212"],
  [new Error("timeout expired"), "L1212"],
  [new Error("Connection terminated unexpectedly"), "L1212"],
  [fromServer("53300"), "L1216"],
  [fromServer("57P03"), "L1217"],
  [new AggregateError([fromSystem("ECONNREFUSED")]), "L1210"],
]

const final: [unknown, string][] = [
  [fromServer("28P01"), "L1213"],
  [new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"), "L1213"],
  [fromServer("28000"), "L1214"],
  [fromServer("3D000"), "L1215"],
  [new Error("self-signed certificate"), "L1218"],
  [fromServer("42704", 'unrecognized configuration parameter "x"'), "L1219"],
  [fromServer("42501", "permission denied for database"), "L1219"],
]

test.each(waitedFor)("%s is waited for (%s)", (cause, code) => {
  const error = connectionError(cause, url)
  expect(error.code).toBe(code)
  expect(mayComeUp(error)).toBe(true)
})

test.each(final)("%s is final: waiting does not help (%s)", (cause, code) => {
  const error = connectionError(cause, url)
  expect(error.code).toBe(code)
  expect(mayComeUp(error)).toBe(false)
})

test("no error holds the password", () => {
  for (const [cause] of [...waitedFor, ...final]) {
    const { message, details } = connectionError(cause, url)
    expect(JSON.stringify([message, { ...details, cause: undefined }])).not.toContain("s3cret")
  }
})

test("an error that ends the session is distinguished from one that does not", () => {
  const left = Object.assign(new pg.DatabaseError("no", 0, "error"), { code: "23505", severity: "ERROR" })
  expect(endsSession(left)).toBe(false)
  expect(endsSession(fromServer("XX000"))).toBe(true)
  for (const code of ["57P01", "57P02", "25P03", "25P04", "57P05"]) {
    expect(endsSession(Object.assign(new pg.DatabaseError("no", 0, "error"), { code, severity: "FATALE" }))).toBe(true)
  }
  expect(endsSession(new Error("read ECONNRESET"))).toBe(false)
})
