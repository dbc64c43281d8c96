import { defaultText, defineCommand, variableOf } from "../cli/options.js"
import { deployOptions, projectOptions } from "../cli/shared-options.js"
import {
  type DeployVariable,
  exampleValues,
  hardenedInitContainer,
  initContainer,
} from "../kubernetes/init-container.js"

/** `lockstep kubernetes init-container|values`: what a Helm chart needs. */
export default defineCommand({
  description: [
    "Prints what a Helm chart needs to apply the migrations before the application starts. Needs no database.",
  ],
  operands: [
    {
      name: "part",
      required: true,
      choices: {
        "init-container": "the init container, for the pod's template (spec.template.spec of a Deployment)",
        values: "the values that it reads, with the deploy's options, for values.yaml",
      },
    },
  ],
  options: {
    slim: { type: "boolean", description: "for a slim image, which has no Prisma CLI: the command is lockstep deploy" },
    hardened: {
      type: "boolean",
      description:
        "not root, nothing writable, no capabilities, limits, the deploy's options, the reason of a failure in kubectl describe",
      source: "command line",
    },
  },
  exitCodes: { 0: "printed", 1: "failed" },
  examples: ["lockstep kubernetes init-container --hardened", "lockstep kubernetes values"],
  async run({ settings: { hardened, slim }, operands: [what], output }) {
    const variables = deployVariables()
    const { renderInitContainer, renderValues } = await import("../kubernetes/init-container.js")
    if (what === "init-container") {
      const content = slim ? "slim" : "full"
      const part = hardened ? hardenedInitContainer(content, variables) : initContainer(content)
      output.say("For the Deployment's template, below spec.template.spec. Helm does not render values.yaml itself.")
      output.data(
        renderInitContainer(part, hardened ? "deployment template" : "values.yaml or deployment template"),
        "script",
      )
      output.object({ schema: "lockstep.kubernetes/1", ...part })
      return 0
    }
    const values = exampleValues(variables)
    output.data(renderValues(values, variables), "script")
    output.object({ schema: "lockstep.kubernetes/1", values })
    return 0
  },
})

/** Decided for one deploy at a time, or by what is in the image: not for a chart. */
const notForCharts: ReadonlySet<string> = new Set([...Object.keys(projectOptions), "resume"])

/** The deploy's options as environment variables with their defaults. */
function deployVariables(): DeployVariable[] {
  return Object.entries(deployOptions).flatMap(([key, option]) => {
    const value = defaultText(option)
    if (notForCharts.has(key) || value === undefined) return []
    return [{ name: variableOf(key), value, help: option.description }]
  })
}
