import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, expect, test, vi } from "vitest"
import { type BaseUrl, entriesIn, parseTargets } from "../../src/fleet/list.js"
import { addressOf } from "../../src/fleet/target.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createProject } from "../support/project.js"

afterEach(() => vi.unstubAllEnvs())

const noBase: BaseUrl = () => Promise.reject(new Error("there is no base"))
const base: BaseUrl = async () => parseDatabaseUrl("postgresql://owner:hunter2@db:5432/shop?sslmode=require")

const parse = (text: string, from: BaseUrl = noBase) => parseTargets(entriesIn(text, "list"), from)
const refusal = async (text: string, from: BaseUrl = noBase) =>
  await parse(text, from).then(
    () => undefined,
    (error: { code: string; details: { hint?: string } }) => ({ code: error.code, hint: error.details.hint }),
  )

test("a URL a line; empty lines and comments are none", async () => {
  const targets = await parse("# tenants\n\npostgresql://o@db/one\r\n  postgresql://o@db/two?schema=sales\n")
  expect(targets.map(({ name }) => name)).toEqual(["one", "two/sales"])
})

test("JSON lines with a URL, the variable or the file that holds it, a name, a group and an order", async () => {
  const { root } = createProject()
  writeFileSync(join(root, "secret"), "postgresql://o:hunter2@db/three\n")
  vi.stubEnv("TENANT_TWO", "postgresql://o:hunter2@db/two")
  const targets = await parse(`{"url": "postgresql://o@db/one", "group": "free", "order": 2}
{"name": "second", "urlEnv": "TENANT_TWO", "schema": "it's a + schema"}
{"secretFile": ${JSON.stringify(join(root, "secret"))}, "order": "1"}`)
  expect(targets.map(({ name, group, order, url }) => [name, group, order, url.database, url.schema])).toEqual([
    ["one", "free", 2, "one", "public"],
    ["second", undefined, 0, "two", "it's a + schema"],
    ["three", undefined, 1, "three", "public"],
  ])
})

test("databases of one server, and schemas of one database, need no URL of their own", async () => {
  const targets = await parse('{"schema": "a"}\n{"schema": "b"}\n{"database": "other"}', base)
  expect(targets.map(addressOf)).toEqual([
    "db:5432/shop?schema=a",
    "db:5432/shop?schema=b",
    "db:5432/other?schema=public",
  ])
  expect(targets.map(({ url }) => [url.password, url.tls.mode])).toEqual(targets.map(() => ["hunter2", "require"]))
})

test("what cannot be used is named by its place, all of it at once, without the text that may hold a password", async () => {
  const found = await refusal(`mysql://o:hunter2@db/x
{"name": 1, "schema": "a"}
{"url": "postgresql://o:hunter2@db/x"
{"hunter2@": 1}
{"urlEnv": "NOT_SET"}
{"secretFile": "/does/not/exist"}
{"url": "postgresql://o@db/x", "urlEnv": "NOT_SET"}
{"name": "nothing"}
postgresql://o:hunt/er2@db/x
{"schema": "a", "order": 1.5}`)
  expect(found?.code).toBe("L2001")
  expect(found?.hint?.split("\n").map((line) => line.replace(/: .*/, ""))).toEqual(
    Array.from({ length: 10 }, (_, index) => `list:${index + 1}`),
  )
  expect(found?.hint).not.toContain("hunt")
})

test("the same database and schema twice, and the same name twice, are refused with both places", async () => {
  const lines = "postgresql://o@db/one\npostgresql://other@db:5432/one?schema=public\n"
  expect(await refusal(lines)).toEqual({ code: "L2003", hint: expect.stringMatching(/^list:2: .* is that of list:1$/) })
  const names = '{"name": "x", "url": "postgresql://o@db/one"}\n{"name": "x", "url": "postgresql://o@db/two"}'
  expect(await refusal(names)).toEqual({ code: "L2003", hint: "list:2: the name x is that of list:1" })
})

test("a name that two servers have is written with the server; the key never depends on other lines", async () => {
  const [alone] = await parse("postgresql://o@db1/shop")
  const both = await parse("postgresql://o@db1/shop\npostgresql://o@db2/shop")
  expect(both.map(({ name }) => name)).toEqual(["db1:5432/shop", "db2:5432/shop"])
  expect(both[0]?.key).toBe(alone?.key)
})
