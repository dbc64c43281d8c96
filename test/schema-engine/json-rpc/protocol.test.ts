import { execa } from "execa"
import { expect, test } from "vitest"
import { environment } from "../../support/cli.js"
import { createDatabase } from "../../support/postgres.js"
import { enginePath } from "../../support/prisma-cli.js"

/** What the schema engine answers to these bytes on its stdin, line by line. It has to end well whatever they are. */
async function answersTo(input: string | Buffer, env: Readonly<Record<string, string>> = {}): Promise<unknown[]> {
  const { url } = await createDatabase()
  const args = [enginePath, "--datasource", JSON.stringify({ url })]
  const ended = await execa(process.execPath, args, { env: environment(env), extendEnv: false, reject: false, input })
  expect(ended, ended.stderr).toMatchObject({ exitCode: 0 })
  return ended.stdout.split("\n").flatMap((line): unknown => (line === "" ? [] : [JSON.parse(line)]))
}

const version = expect.stringMatching(/^PostgreSQL/)
const ask = (more: object = {}) => JSON.stringify({ jsonrpc: "2.0", id: "last", method: "getDatabaseVersion", ...more })
const answer = (id: unknown, result: unknown = version) => ({ jsonrpc: "2.0", result, id })
const failure = (code: number, id: unknown = null) => ({
  jsonrpc: "2.0",
  error: expect.objectContaining({ code }),
  id,
})

const lines: readonly (readonly [what: string, line: string | Buffer, answers: readonly unknown[]])[] = [
  ["an empty line", "", [failure(-32700)]],
  ["spaces", "  \r", [failure(-32700)]],
  ["no JSON", "hello", [failure(-32700)]],
  ["a line that is cut", ask().slice(0, -5), [failure(-32700)]],
  ["bytes that are no text", Buffer.from([0, 255, 254, 0, 13]), [failure(-32700)]],
  [
    "a string that is no text",
    Buffer.concat([Buffer.from('"'), Buffer.from([255]), Buffer.from('"')]),
    [failure(-32700)],
  ],
  ["JSON too deep", "[".repeat(200_000), [failure(-32700)]],
  ["a number", "1", [failure(-32600)]],
  ["null", "null", [failure(-32600)]],
  ["an object that is no request", "{}", [failure(-32600)]],
  ["another version", JSON.stringify({ id: 7, method: "getDatabaseVersion" }), [failure(-32600, 7)]],
  ["a method that is no text", ask({ method: 5 }), [failure(-32600, "last")]],
  ["an id that is none", ask({ id: { a: 1 } }), [failure(-32600)]],
  ["parameters that are none", ask({ params: "all" }), [failure(-32600, "last")]],
  ["an unknown method", ask({ method: "toString", id: 8 }), [failure(-32601, 8)]],
  ["parameters without names", ask({ params: [1] }), [failure(-32602, "last")]],
  ["an empty list of parameters", ask({ params: [] }), [answer("last")]],
  ["null for parameters", ask({ params: null }), [answer("last")]],
  ["id: null", ask({ id: null }), [answer(null)]],
  ["id: 0", ask({ id: 0 }), [answer(0)]],
  ["a notification", ask({ id: undefined }), []],
  ["a notification of an unknown method", ask({ id: undefined, method: "nope" }), []],
  ["an answer to a request of ours", JSON.stringify({ jsonrpc: "2.0", result: null, id: 0 }), []],
  ["an empty batch", "[]", [failure(-32600)]],
  ["a batch of notifications", `[${ask({ id: undefined })}]`, []],
  [
    "a batch",
    `[1,${ask({ id: "a" })},${ask({ id: undefined })},{},${ask({ id: 2, method: "nope" })}]`,
    [[failure(-32600), answer("a"), failure(-32600), failure(-32601, 2)]],
  ],
]

/** One process is given all of them, each with a request behind it, and answers in their order. */
let answered: Promise<readonly unknown[][]> | undefined

async function answersToAll(): Promise<readonly unknown[][]> {
  const end = (index: number) => `${index} ends`
  const input = lines.flatMap(([, line], index) => [Buffer.from(line), Buffer.from(`\n${ask({ id: end(index) })}\n`)])
  const all = await answersTo(Buffer.concat(input))
  const ends = lines.map((_, index) => all.findIndex((one) => Object(one).id === end(index)))
  return ends.map((at, index) => all.slice(index === 0 ? 0 : (ends[index - 1] ?? -1) + 1, at + 1))
}

test.each(lines.map(([what, , expected], index) => [what, index, expected] as const))(
  "%s has JSON-RPC's own answer, and what comes next is answered",
  async (_what, index, expected) => {
    answered ??= answersToAll()
    expect((await answered)[index]).toEqual([...expected, answer(`${index} ends`)])
  },
)

test("a request whose line has no end is answered before the process ends", async () => {
  expect(await answersTo(ask())).toEqual([answer("last")])
  expect(await answersTo(`${ask({ id: 1 })}\n${ask().slice(0, 9)}`)).toEqual([answer(1), failure(-32700)])
})

const wrong = { migrationsList: 5, script: 7, from: { tag: "x" }, to: { tag: "y" }, filters: 1, schema: 1, url: 1 }

test("parameters of another shape are refused for every method, and what comes next is answered", async () => {
  const methods = [
    ...["applyMigrations", "createMigration", "dbExecute", "devDiagnostic", "diagnoseMigrationHistory", "diff"],
    ...["evaluateDataLoss", "introspect", "introspectSql", "markMigrationApplied", "markMigrationRolledBack"],
    "schemaPush",
  ]
  const lines = methods.flatMap((method) => [
    ask({ method, id: `${method}, none`, params: {} }),
    ask({ method, id: `${method}, wrong`, params: wrong }),
  ])
  // Without parameters it is Prisma 5's, and right.
  const reset = ask({ method: "reset", id: "reset, wrong", params: wrong })
  expect(await answersTo([...lines, reset, ask()].join("\n"))).toEqual([
    ...methods.flatMap((method) => [failure(-32602, `${method}, none`), failure(-32602, `${method}, wrong`)]),
    failure(-32602, "reset, wrong"),
    answer("last"),
  ])
})

test("the rows of a script are not kept", async () => {
  const script = "SELECT n, 'row ' || n FROM generate_series(1, 1000000) n"
  const input = ask({ method: "dbExecute", params: { datasourceType: {}, script } })
  expect(await answersTo(input, { NODE_OPTIONS: "--max-old-space-size=64" })).toEqual([answer("last", null)])
})
