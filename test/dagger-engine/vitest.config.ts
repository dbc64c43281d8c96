import { dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { engineAnswers } from "./engine.js"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..")
const answers = await engineAnswers()

if (!answers) {
  console.log(
    "skipped: no Dagger engine answers, which the module's tests need (DAGGER_REQUIRED=1 makes that a failure)",
  )
  if (process.env.DAGGER_REQUIRED === "1") process.exit(1)
}

/** The tests that drive the module through a real Dagger engine, one after the other: each loads the machine. */
export default defineConfig({
  test: {
    root,
    include: answers ? ["test/dagger-engine/**/*.test.ts"] : [],
    passWithNoTests: true,
    globalSetup: ["test/support/global-setup.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
