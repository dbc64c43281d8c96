import { join } from "node:path"
import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { findTarget, shadowUrlOf } from "../project/database-url.js"
import { readMigrations } from "../project/project.js"
import { checkFormats, formatOptions, give } from "../report/formats/formats.js"
import { rehearsalPassed, renderRehearsal } from "../report/rehearse.js"
import { rehearsalObject } from "../report/rehearse-json.js"

/** `lockstep rehearse`: the pending migrations on a scratch database with data. */
export default defineCommand({
  description: [
    "Replays the applied migrations on a scratch database, loads data, applies the pending migrations, and shows for each statement the time it took and the rows it wrote. What only data shows (nulls, duplicates, missing references, values that do not fit a type) fails there, with the keys of the rows.",
    "prisma/assertions/*.sql, beside the migrations folder, are queries that must return no rows, before and after. Of a plain dump the rows alone are loaded; other formats need pg_restore. The database itself is only asked for its history.",
  ],
  options: {
    ...projectOptions,
    ...formatOptions,
    data: { type: "text", value: "file", description: "a dump: SQL, or a format of pg_restore's" },
    seed: { type: "boolean", description: "run the project's seed for data", source: "command line" },
    showRows: {
      type: "boolean",
      description: "show the rows that make a statement fail, not only their keys",
      source: "command line",
    },
    shadowUrl: {
      type: "text",
      value: "url",
      description: "a database on the server where scratch databases are made",
      defaultDescription: "the configuration's shadowDatabaseUrl, else the test database",
    },
  },
  exitCodes: {
    0: "every migration is applied there and every assertion holds",
    1: "one is not, or the data cannot be loaded",
  },
  examples: [
    "lockstep rehearse --data dump.sql",
    "lockstep rehearse --seed --json",
    "lockstep rehearse --seed --format html --output rehearsal.html",
  ],
  async run({ settings, output, signal, project }) {
    checkFormats(settings)
    if ((settings.data === undefined) === !settings.seed)
      throw new LockstepError("L1301", "name the data: --data FILE, or --seed", {
        next: "`lockstep rehearse --data dump.sql`",
      })
    const where = await project()
    const target = await findTarget(where)
    announce(target, output)
    const folder = readMigrations(where, { allowEmpty: false })
    const shadow = settings.shadowUrl ?? shadowUrlOf(where)
    const { rehearse } = await import("../rehearse/rehearse.js")
    const { readAssertions } = await import("../rehearse/assertions.js")
    const rehearsal = await rehearse({
      ...{ url: target.url, folder, assertions: readAssertions(join(where.migrationsDir, "../assertions")) },
      scratch: {
        shadowUrl: shadow ? parseDatabaseUrl(shadow) : undefined,
        initShadowDb: where.initShadowDb,
        root: where.root,
      },
      shows: settings.showRows ? "rows" : "keys",
      keeps: settings.format.includes("html") ? "catalogs" : undefined,
      load: async (database) => {
        if (settings.data !== undefined) {
          const { loadDump } = await import("../rehearse/data.js")
          return await loadDump(database.client, settings.data)
        }
        const { seed } = await import("../cli/deploy.js")
        await seed({ target: { url: database.url }, signal }, where)
      },
    })
    const answer = {
      command: "rehearse",
      text: () => renderRehearsal(rehearsal),
      object: rehearsalObject(rehearsal),
      report: async () => (await import("../report/rehearse.js")).rehearsalReport(rehearsal),
      picture: async () => {
        const { rehearsalPicture } = await import("../report/html/pictures/rehearse.js")
        return rehearsalPicture(rehearsal, target.url)
      },
    }
    await give(answer, settings, output)
    return rehearsalPassed(rehearsal) ? 0 : 1
  },
})
