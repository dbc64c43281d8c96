import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { connection, dag } from "@dagger.io/dagger"
import { beforeAll, expect, test } from "vitest"
import { kebab, readModule } from "../e2e/ci/ci-api.js"
import { repository } from "../support/cli.js"

interface Described {
  readonly name: string
  readonly description: string
}

const functions: (Described & { readonly options: readonly Described[] })[] = []

// What the command line shows is cut to its width; the API has the whole.
beforeAll(async () => {
  process.env._EXPERIMENTAL_DAGGER_CLI_BIN ??= "dagger"
  await connection(async () => {
    const [object] = await dag.moduleSource(repository).asModule().objects()
    const type = object?.asObject()
    if (type === undefined) throw new Error("the module has no object")
    for (const one of [type.constructor_(), ...(await type.functions())]) {
      const options = await Promise.all(
        (await one.args()).map(async (arg) => ({ name: await arg.name(), description: await arg.description() })),
      )
      functions.push({ name: await one.name(), description: await one.description(), options })
    }
  })
})

test("every function has a description", () => {
  expect(functions.length).toBeGreaterThan(15)
  expect(functions.filter(({ name, description }) => name !== "" && description === "")).toEqual([])
})

test("every argument has a description", () => {
  const silent = functions.flatMap(({ name, options }) =>
    options.filter(({ description }) => description === "").map((option) => `${name} --${option.name}`),
  )
  expect(silent).toEqual([])
})

// What the documentation's command lines are held against, without an engine.
test("the functions and arguments are those that the source is read to have", () => {
  const folder = join(repository, "dagger/src")
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"))
  const read = readModule(sources).get("Lockstep")
  const expected = [["", read?.constructor_] as const, ...(read?.functions ?? [])].map(([name, one]) => ({
    name,
    flags: one?.arguments.map(({ flag }) => flag),
  }))
  const found = functions.map(({ name, options }) => ({
    name: kebab(name),
    flags: options.map((option) => `--${kebab(option.name)}`),
  }))
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
  expect(found.sort(byName)).toEqual(expected.sort(byName))
})
