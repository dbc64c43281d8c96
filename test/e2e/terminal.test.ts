import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { cliPath, environment } from "../support/cli.js"
import { openShop, type Shop, schema, widerSchema } from "../support/shop.js"

/** Runs the command on a terminal that util-linux's `script` makes, and types these words into it when asked. */
async function onTerminal({ project, database }: Shop, args: readonly string[], question: string, words: string) {
  const command = [process.execPath, cliPath, ...args].map((word) => `'${word}'`).join(" ")
  const child = execa("script", ["-qec", `stty cols 200 rows 40; ${command}`, "/dev/null"], {
    cwd: project.root,
    env: environment({ DATABASE_URL: database.url, TERM: "xterm" }),
    extendEnv: false,
    reject: false,
    all: true,
  })
  let seen = ""
  child.all.on("data", (chunk: Buffer) => {
    const before = seen.includes(question)
    seen += chunk.toString()
    if (!before && seen.includes(question)) child.stdin.write(`${words}\r`)
  })
  const { exitCode } = await child
  return { exitCode, seen }
}

describe.skipIf(!hasScript())("on a terminal", () => {
  test("a destructive command goes on when the database's name is typed", async () => {
    const shop = await openShop()
    const { exitCode, seen } = await onTerminal(shop, ["reset"], "Type the database's name", shop.database.name)
    expect(seen).toContain("Reset: 2 migrations applied.")
    expect(exitCode).toBe(0)
  })

  test("colours are ours: a migration's name has none", async () => {
    const shop = await openShop()
    shop.project.migration("20260103000000_\u001b[32mgreen", "SELECT 1;\n")
    const { seen } = await onTerminal(shop, ["deploy"], "no question", "")
    expect(seen).toContain("  \u001b[32mok\u001b[39m  20260103000000_\\x1b[32mgreen")
    expect(seen).not.toContain("\u001b[32mgreen")
  })

  test("another word is no consent", async () => {
    const shop = await openShop()
    await shop.run("deploy")
    await shop.database.query(`INSERT INTO "User" VALUES (1)`)
    const { exitCode, seen } = await onTerminal(shop, ["reset"], "Type the database's name", "yes")
    expect(seen).toContain("L1305")
    expect(exitCode).toBe(2)
    expect(await shop.database.query(`SELECT * FROM "User"`)).toHaveLength(1)
  })

  test("a migration without a name is asked for one", async () => {
    const shop = await openShop({ schema: widerSchema })
    const { exitCode } = await onTerminal(shop, ["migrate"], "What does the migration do?", "add age")
    expect(exitCode).toBe(0)
    expect(readdirSync(shop.project.migrationsDir).some((name) => name.endsWith("_add_age"))).toBe(true)
  })
})

describe.skipIf(!hasScript())("a column that may have been renamed, on a terminal", () => {
  const renamed = schema.replace("name String?", "title String?")

  test("is renamed where the first answer is chosen", async () => {
    const shop = await openShop({ schema: renamed })
    await shop.run("deploy")
    await shop.database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
    const { exitCode, seen } = await onTerminal(shop, ["migrate", "--name", "title"], "Was it renamed?", "")
    expect(seen).toContain('"User"."name" is gone and title is new. Was it renamed?')
    expect(seen).toContain("drop it and its 1 value")
    expect(exitCode).toBe(0)
    expect(await shop.database.query(`SELECT title FROM "User"`)).toEqual([{ title: "Ada" }])
  })

  test("is dropped where the second one is, which is consent", async () => {
    const shop = await openShop({ schema: renamed })
    await shop.run("deploy")
    await shop.database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
    const down = "\u001b[B"
    const { exitCode } = await onTerminal(shop, ["migrate", "--name", "title"], "Was it renamed?", down)
    expect(exitCode).toBe(0)
    expect(await shop.database.query(`SELECT title FROM "User"`)).toEqual([{ title: null }])
  })
})

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}
