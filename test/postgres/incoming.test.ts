import { PassThrough } from "node:stream"
import { expect, test } from "vitest"
import { connect } from "../../src/postgres/connect.js"
import { runCounted } from "../../src/postgres/counted.js"
import { BoundedConnection } from "../../src/postgres/incoming.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { serverUrl } from "../support/postgres.js"

function message(kind: string, body: string): Buffer {
  const bytes = Buffer.from(`${kind}\0\0\0\0${body}`)
  bytes.writeUInt32BE(bytes.length - 1, 1)
  return bytes
}

const rowDescription = (column: string) =>
  message("T", `\0\x01${column}\0\0\0\0\0\0\0\0\0\0\x19\x7f\x7f\x7f\x7f\x7f\x7f\0\0`)
const row = (value: string) => message("D", `\0\x01\0\0\0${String.fromCharCode(value.length)}${value}`)

const long = "ü".repeat(5000)
const conversation = Buffer.concat([
  rowDescription("mine"),
  ...["a", "b"].map(row),
  message("C", "SELECT 2\0"),
  rowDescription("other"),
  ...["x".repeat(100), "y"].map(row),
  message("d", "copied"),
  message("N", `SNOTICE\0M${long}\0\0`),
  message("C", "SELECT 2\0"),
  message("E", `SERROR\0CP0001\0M${long}\0Dshort\0\0`),
  message("E", "SERROR\0CP0002\0Msmall\0\0"),
  message("Z", "I"),
])

/** What the driver makes of the conversation when it arrives in pieces of this many bytes. */
function heard(size: number): readonly unknown[] {
  const stream = new PassThrough()
  const connection = new BoundedConnection()
  connection.attachListeners(stream)
  const events: unknown[] = []
  connection.on("rowDescription", ({ fields: [field] }) => {
    events.push(`columns ${field.name}`)
    connection.dropsRows = field.name !== "mine"
  })
  connection.on("dataRow", ({ fields }) => events.push(`row ${fields}`))
  connection.on("errorMessage", ({ code, message, detail }) => events.push([code, message, detail]))
  for (const name of ["commandComplete", "copyData", "notice", "readyForQuery"]) {
    connection.on(name, () => events.push(name))
  }
  for (let at = 0; at < conversation.length; at += size) stream.emit("data", conversation.subarray(at, at + size))
  return events
}

test("rows that nobody reads, COPY output and notices are dropped, and a long error is cut, in whatever pieces they come", () => {
  const [, , , , , , cut] = heard(conversation.length)
  const [code, text, detail] = cut as readonly string[]
  expect([code, detail]).toEqual(["P0001", "short"])
  expect(text).toMatch(/^ü{4000,4096}… \(cut: it is 10000 bytes long\)$/)
  const expected = [
    ...["columns mine", "row a", "row b", "commandComplete", "columns other", "commandComplete"],
    ...[cut, ["P0002", "small", undefined], "readyForQuery"],
  ]
  for (const size of [1, 2, 3, 4, 5, 6, 7, 11, 64, 1000, 8192, conversation.length]) {
    expect(heard(size), `pieces of ${size} bytes`).toEqual(expected)
  }
})

test("a message in several parts, larger than a socket's buffer, arrives as one; its own column is read, the rest is not", async () => {
  const client = await connect(parseDatabaseUrl(serverUrl()))
  try {
    // A character of two units stands at every place where it can be cut.
    const text = `SELECT length('${"x".repeat(100)}${"😀".repeat(300_000)}') AS mine;`
    const odd = `SELECT 'x${"😀".repeat(300_000)}', 1 AS mine WHERE false;`
    const outcome = await runCounted(client, ["SELECT 1;", odd, text, "SELECT 2;"], "mine")
    expect(outcome).toEqual({ ok: true, completed: 4, values: ["300100"] })
    expect(await client.query("SELECT 'a' AS a")).toMatchObject({ rows: [{ a: "a" }] })
    const refused = await runCounted(client, ["SELECT 1;", odd, "SELECT 1/0;"])
    expect(refused).toMatchObject({ ok: false, completed: 2, error: { code: "22012" } })
    expect(await client.query("SELECT 'b' AS b")).toMatchObject({ rows: [{ b: "b" }] })
  } finally {
    await client.end()
  }
})
