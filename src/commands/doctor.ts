import type { Result } from "../check/finding.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { checkVerdict, hasFailed, renderChecks } from "../report/check.js"

/** `lockstep doctor`: what would go wrong later. */
export default defineCommand({
  description: [
    "Examines the project and the database that its environment names, and says what would go wrong later: versions of Node, Prisma and PostgreSQL, a pooler in the URL, rights that are missing, extensions that the server lacks, history rows edited by hand, drift, a schema without migrations, an image without them.",
    "Each finding has its reason and what to type next; docs/doctor.md describes each question. Changes nothing.",
  ],
  options: projectOptions,
  exitCodes: { 0: "nothing failed; warnings may be printed", 1: "something fails now, or will" },
  examples: ["lockstep doctor", "DATABASE_URL=postgresql://... lockstep doctor --json"],
  async run({ output, project }) {
    const { examineProject } = await import("../doctor/doctor.js")
    const results: Result[] = []
    for await (const result of examineProject(await project())) {
      results.push(result)
      output.live(`${results.length} examined`)
    }
    output.live("")
    output.data(renderChecks(results, output))
    output.object({
      schema: "lockstep.doctor/1",
      passed: !hasFailed(results),
      verdict: checkVerdict(results),
      examinations: results,
    })
    return hasFailed(results) ? 1 : 0
  },
})
