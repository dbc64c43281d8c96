import * as z from "zod/mini"
import { defineCommand, flag, projectOptions } from "../cli/options.js"
import { variableOf } from "../cli/settings.js"
import { LockstepError } from "../errors.js"
import {
  type DeployVariable,
  exampleValues,
  hardenedInitContainer,
  initContainer,
} from "../kubernetes/init-container.js"
import { deployOptions } from "./deploy.js"

/** `lockstep kubernetes init-container|values`: what a Helm chart needs. Errors: L1301. */
export default defineCommand({
  description: `Prints what a Helm chart needs for the migrations to be applied before the application starts.

  init-container   the init container, for the pod's template (spec.template.spec of a Deployment)
  values           the values that it reads, with the deploy's options, for values.yaml

Needs no database. Exit codes: 0 done; 2 wrong usage.`,
  operands: "<init-container|values>",
  options: {
    hardened: flag(
      "--hardened",
      "not root, nothing writable, no capabilities, limits, the deploy's options, the reason of a failure in kubectl describe",
      { flagOnly: true },
    ),
  },
  examples: ["lockstep kubernetes init-container --hardened", "lockstep kubernetes values"],
  async run({ settings: { hardened }, operands: [what], output }) {
    const variables = deployVariables()
    const { renderInitContainer, renderValues } = await import("../kubernetes/render.js")
    if (what === "init-container") {
      const part = hardened ? hardenedInitContainer(variables) : initContainer()
      output.say("For the Deployment's template, below spec.template.spec. Helm does not render values.yaml itself.")
      output.data(
        renderInitContainer(part, hardened ? "deployment template" : "values.yaml or deployment template"),
        "script",
      )
      output.object({ schema: "lockstep.kubernetes/1", ...part })
      return 0
    }
    if (what === "values") {
      const values = exampleValues(variables)
      output.data(renderValues(values, variables), "script")
      output.object({ schema: "lockstep.kubernetes/1", values })
      return 0
    }
    throw new LockstepError("L1301", `lockstep kubernetes knows init-container and values, not ${what}`, {
      next: "lockstep kubernetes --help",
    })
  },
})

/** Decided for one deploy at a time, or by what is in the image: not for a chart. */
const notForCharts: ReadonlySet<string> = new Set([...Object.keys(projectOptions), "resume"])

/** The deploy's options as environment variables with their defaults. */
function deployVariables(): DeployVariable[] {
  return Object.entries(deployOptions).flatMap(([key, { schema, flags, help }]) => {
    const value = z.parse(schema, undefined)
    if (notForCharts.has(key) || value === undefined) return []
    const text = typeof value === "number" && flags.endsWith("<time>") ? span(value) : String(value)
    return [{ name: variableOf(key), value: text, help: help.replace(/ \(default .*\)$/, "") }]
  })
}

/** Milliseconds in the largest unit that holds them whole, as the options read them. */
function span(ms: number): string {
  if (ms > 0 && ms % 60_000 === 0) return `${ms / 60_000}m`
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}
