import { type Directory, dag } from "@dagger.io/dagger"
import { asJson, asJunit, asText, type Step, skipped, step } from "./report.js"
import { printed } from "./run.js"
import { runner } from "./runner.js"
import type { Setting } from "./setting.js"
import { applied, generated, imageTested, modelsTested, onEmpty, onMigrated, typesTested } from "./steps.js"

/** What is tried side by side once the history has been applied, by name. */
const afterwards: Readonly<Record<string, (setting: Setting) => Promise<string>>> = {
  status: async (setting) => onMigrated(setting, await runner(setting), "lockstep", "status"),
  "deploy again": async (setting) => onMigrated(setting, await runner(setting), "lockstep", "deploy", "--strict"),
  types: typesTested,
  models: modelsTested,
}

/** Tries the whole strategy on fresh servers; a step that needs an earlier one's result is skipped with it. */
export async function verify(setting: Setting): Promise<readonly Step[]> {
  // The longest, and it needs none of the others.
  const image = step("image", () => imageTested(setting, { slim: false }))
  const first = await Promise.all([
    step("apply", async () => printed(await applied(setting))),
    step("schema", () => onEmpty(setting, "schema", "lockstep", "diff", "history", "schema")),
    step("generate", async () => printed(await generated(setting))),
  ])
  const [apply, , generate] = first
  const possible = [apply, generate].every(({ state }) => state === "passed")
  const rest = Object.entries(afterwards).map(async ([name, run]) =>
    possible ? step(name, () => run(setting)) : skipped(name),
  )
  return [...first, ...(await Promise.all(rest)), await image]
}

/** The steps as files. */
export const reportOf = (steps: readonly Step[]): Directory =>
  dag
    .directory()
    .withNewFile("verify.json", asJson(steps))
    .withNewFile("junit.xml", asJunit(steps))
    .withNewFile("verify.txt", `${asText(steps)}\n`)
