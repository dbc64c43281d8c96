import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { init, migrations, openShop, type Shop } from "../support/shop.js"
import { objectsIn } from "./json.js"

const name = "20260103000000_x\u001b[31m\r\u202e\nerror[L9999]: forged"
const words = String.raw`\x1b]0;title\x07\r\u009b2J\u2066\nstate:  all is well\n  state:  all is well\nerror[L9999]: forged`
const failing = `DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = E'${words}', DETAIL = E'${words}', HINT = E'${words}'; END $$;\n`

/** Whatever acts on a terminal, but the ends of our lines. */
const steering = /(?![\n\t])\p{Cc}|\p{Bidi_Control}/u

function expectHarmless({ all = "" }: { readonly all?: string | undefined }): void {
  expect(all).not.toMatch(steering)
  expect(all).not.toMatch(/^error\[L9999\]|^ {0,2}state: {2}all is well/m)
}

const openHostileShop = (sql: string): Promise<Shop> => openShop({ migrations: { ...migrations, [name]: sql } })

test("a migration's name, wherever it is printed", async () => {
  const { run, project } = await openHostileShop("SELECT 1;\n")
  for (const command of [["status"], ["plan"], ["deploy"]]) {
    const shown = await run(...command)
    expectHarmless(shown)
    expect(shown.all).toContain(String.raw`20260103000000_x\x1b[31m\x0d\u202e\nerror[L9999]: forged`)
  }
  project.remove(`prisma/migrations/${name}`)
  const missing = await run("status")
  expectHarmless(missing)
  expect(missing.all).toContain(String.raw`20260103000000_x\x1b[31m`)
  project.migration(name, "SELECT 2;\n")
  expectHarmless(await run("status"))
})

test("what a migration, its name or the server says is no command of a CI's", async () => {
  const commands = ["::error::forged", "  ::stop-commands::x", "##vso[task.setvariable variable=PATH]x", "##[group]x"]
  const sql = `DO $$ BEGIN RAISE EXCEPTION E'first\\n${commands.join("\\n")}' USING HINT = E'${commands.join("\\n")}'; END $$;\n`
  const { run, project } = await openShop({ migrations: { ...migrations, "20260103000000_x\n::error::y": sql } })
  const taken = /^\s*::(?!error file=)|^(?!::error file=).*##(?:vso)?\[/m
  for (const args of [["status"], ["plan"], ["deploy"], ["deploy", "--json"], ["deploy", "--format", "github"]]) {
    const shown = await run(...args)
    expect(shown.exitCode).toBe(1)
    expect(shown.all).not.toMatch(taken)
  }
  const files = await run("deploy", "--format", "github,markdown,text,json", "--output", "reports/")
  expect(files.all).not.toMatch(taken)
  const file = (name: string) => readFileSync(join(project.root, "reports", name), "utf8")
  expect(file("deploy.github.txt").trim().split("\n")).toHaveLength(2)
  expect(file("deploy.md").split("\n")[0]).toContain("first\\\\n::error::forged")
})

test("a failed migration's name and what the server says of it: --json has them as they are", async () => {
  const { run, project } = await openHostileShop(failing)
  const failed = await run("deploy")
  expect(failed.exitCode).toBe(1)
  expectHarmless(failed)
  expect(failed.all).toContain(String.raw`\x1b]0;title\x07\x0d\x9b2J\u2066`)
  const { stdout } = await run("deploy", "--json")
  const objects = objectsIn(stdout)
  expect(objects).toContainEqual(expect.objectContaining({ pending: expect.arrayContaining([name]) }))
  expect(objects.at(-1)).toMatchObject({
    message: expect.stringContaining("\u001b]0;title\u0007\r\u009b2J\u2066\nstate:"),
  })
  project.migration(name, "-- \u001b[2J\u202e\nSELECT 'a\u0007b', nothing;\n")
  expectHarmless(await run("deploy"))
})

test("a name that only the database holds, and a database's own name", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  const insert = `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, logs)
    VALUES (gen_random_uuid(), 'x', $1::text, now(), $1::text)`
  await database.query(insert, [name])
  for (const verb of ["status", "plan", "deploy"]) expectHarmless(await run(verb))
  const url = new URL(database.url)
  url.pathname = "/gone%1B[31m%0Aerror[L9999]: forged"
  const gone = await lockstep(["status"], { cwd: project.root, url: url.href })
  expect(gone.all).toContain(String.raw`/gone\x1b[31m\nerror[L9999]`)
  expectHarmless(gone)
})

test("a deployer's application name while it is waited for, and the words of a wrong command", async () => {
  const { database, project } = await openHostileShop("SELECT pg_sleep(3);\n")
  const options = { cwd: project.root }
  const first = lockstep(["deploy"], {
    ...options,
    url: `${database.url}?application_name=a%1B[31m%0Aerror[L9999]: forged`,
  })
  const second = await lockstep(["deploy"], { ...options, url: database.url })
  expectHarmless(second)
  expectHarmless(await first)
  expectHarmless(await lockstep(["resolve", "--applied", name], { ...options, url: database.url }))
  expectHarmless(await lockstep([`\u001b[2J${init}`], { ...options, url: database.url }))
})
