import { expect, test } from "vitest"
import { configFiles } from "../../dagger/src/project.js"
import { configPaths } from "../../src/project/config.js"

// The engine gives a module its own folder alone, so the list cannot be the runner's.
test("the toolbox holds every prisma.config that the runner looks for", () => {
  const anyExtension = configPaths.map((path) => path.replace(/[^.]+$/, "*"))
  expect(new Set(configFiles)).toEqual(new Set(anyExtension))
})
