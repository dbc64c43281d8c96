import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import * as z from "zod/mini"
import { repository } from "../support/cli.js"

const read = (path: string): unknown => JSON.parse(readFileSync(join(repository, path), "utf8"))

const packageJson = z.object({ dependencies: z.optional(z.record(z.string(), z.string())), dagger: z.unknown() })

test("dagger.json names the module and the engine that it is tested on", () => {
  expect(read("dagger.json")).toMatchObject({
    name: "lockstep",
    engineVersion: "v0.21.8",
    source: "dagger",
    sdk: { source: "typescript" },
  })
})

// With anything else than the SDK's own TypeScript, every load of the module installs packages.
test("the module depends on nothing but the TypeScript that its SDK brings", () => {
  const { dependencies, dagger } = z.parse(packageJson, read("dagger/package.json"))
  expect(dependencies).toEqual({ typescript: "5.9.3" })
  expect(dagger).toEqual({ runtime: "bun" })
})
