import { defineCommand } from "../cli/options.js"
import { projectOptions, scratchServer } from "../cli/shared-options.js"
import { hasFailed, renderChecks } from "../report/check.js"
import { checkFormats, formatOptions, give, type Style } from "../report/formats/formats.js"
import { checkReport } from "../report/formats/report.js"
import type { Picture } from "../report/html/picture.js"

/** `lockstep check [ids…]`: what is wrong with a branch's migrations. */
export default defineCommand({
  description: [
    "Checks the history, the schema and the branch's new migrations, side by side. Each check is described in docs/checks.md, with an example that fails and one that passes.",
    'Levels are set in package.json: "lockstep": { "checks": { "history/name": "off" } }. A migration accepts a finding with a comment before the statement: -- lockstep-ignore history/mixed: the reason.',
    "A check that needs git or a database is skipped where there is none, and says so.",
  ],
  operands: [
    {
      name: "ids",
      required: false,
      amount: "several",
      description: "checks, or families of them such as history (default: all that are not off)",
    },
  ],
  options: {
    ...projectOptions,
    ...formatOptions,
    ...scratchServer,
    base: {
      type: "text",
      value: "ref",
      description: "the branch or commit that the branch is merged into",
      defaultDescription: "the pull request's in CI, else origin's default branch",
    },
    fix: {
      type: "boolean",
      description: "correct what can be corrected mechanically, then check again",
      source: "command line",
    },
  },
  exitCodes: { 0: "no check failed", 1: "a check failed" },
  examples: [
    "lockstep check --base origin/main",
    "lockstep check history/order --fix",
    "lockstep check --format sarif,junit --output reports",
    "lockstep check history schema/drift --json",
  ],
  async run({ settings, operands: ids, output, project, signal }) {
    checkFormats(settings)
    const found = await project()
    const where = { ...found, shadowUrl: settings.shadowUrl ?? found.shadowUrl }
    const request = { project: where, base: settings.base, ids, signal }
    const { runChecks, fixProblems } = await import("../check/run.js")
    const { checkObject } = await import("../report/check-json.js")
    const fixed = settings.fix ? await fixProblems(request) : []
    for (const line of fixed) output.say(`  fixed  ${line}`)
    let done = 0
    let picture: Picture | undefined
    const isPictured = settings.format.includes("html")
    const results = await runChecks({
      ...request,
      ...(isPictured ? { keeps: "catalogs" } : {}),
      onResult: () => output.live(`${++done} checked`),
      onEnd: async (given) => {
        if (isPictured) picture = await (await import("../report/html/pictures/check.js")).checkPicture(given)
      },
    })
    output.live("")
    const answer = {
      command: "check",
      text: (style: Style) => renderChecks(results, style),
      object: checkObject(results, fixed),
      report: async () => checkReport(results),
      picture: async () => picture,
    }
    await give(answer, settings, output)
    return hasFailed(results) ? 1 : 0
  },
})
