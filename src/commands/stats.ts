import type { Statistics } from "../check/sizes.js"
import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { readDatabase } from "../deploy/connect/read.js"
import { readTableSizes } from "../postgres/statistics.js"
import { findTarget } from "../project/database-url.js"

/** `lockstep stats`: the sizes of the tables, to be committed. Reads only. */
export default defineCommand({
  description: [
    "Prints how many rows and bytes each table has, as JSON. Run it on production now and then, and commit the output as statistics.json beside the migrations folder: `lockstep check` then knows which tables are large, also where it cannot reach production. It holds names and sizes, no data.",
    "Rows are PostgreSQL's estimates. Changes nothing.",
  ],
  options: projectOptions,
  exitCodes: { 0: "printed", 1: "the database cannot be read" },
  examples: ["DATABASE_URL=postgresql://... lockstep stats > prisma/statistics.json"],
  async run({ output, project }) {
    const target = await findTarget(await project("migrations"))
    announce(target, output)
    const tables = await readDatabase({ url: target.url, applicationName: "lockstep stats" }, readTableSizes)
    const answer: Statistics = { schema: "lockstep.stats/1", at: new Date().toISOString(), tables }
    output.data(JSON.stringify(answer, null, 2), "script")
    output.object(answer)
    return 0
  },
})
