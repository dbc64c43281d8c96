import { expect, test } from "vitest"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { columnOf } from "../../src/schema-engine/adapter.js"
import { serverUrl } from "../support/postgres.js"

/** What the engine gets for an SQL expression. */
async function engineValue(expression: string): Promise<unknown> {
  const client = await connect(parseDatabaseUrl(serverUrl()))
  try {
    const { fields, rows } = await client.query<string[]>({ text: `SELECT ${expression}`, rowMode: "array" })
    return columnOf(fields[0]?.dataTypeID ?? 0).read(rows[0]?.[0] ?? "")
  } finally {
    await client.end()
  }
}

test.each([
  ["true", true],
  ["7::int4", 7],
  ["9007199254740993::int8", "9007199254740993"],
  ["1.50::numeric", "1.50"],
  [`'r'::"char"`, "r"],
  ["'\\x00ff'::bytea", [0, 255]],
  [`'{"a": 1}'::jsonb`, '{"a": 1}'],
  ["'2026-01-01 10:00:00.5'::timestamp", "2026-01-01T10:00:00.5+00:00"],
  ["ARRAY[1,2]::int4[]", [1, 2]],
  [`ARRAY['a,b','"',NULL]::text[]`, ["a,b", '"', null]],
  ["'public'::regnamespace", "public"],
])("%s reaches the engine as %j", async (expression, expected) => {
  expect(await engineValue(expression)).toEqual(expected)
})

test("a time with an offset is one moment, whatever the session's time zone", async () => {
  const value = await engineValue("'2026-01-01 10:00:00+05:30'::timestamptz")
  expect(new Date(String(value)).toISOString()).toBe("2026-01-01T04:30:00.000Z")
})
