import { deploy } from "../deploy/deploy.js"
import { defaultSettings } from "../deploy/request.js"
import { readFolder } from "../history/folder.js"
import { findTarget } from "../project/database-url.js"
import { deployReporter, verdict } from "../report/deploy.js"
import { announce } from "./announce.js"
import { defineCommand } from "./command.js"
import { count, flag, projectOptions, time } from "./options.js"

const seconds = (ms: number): string =>
  ms % 60_000 === 0 ? `${ms / 60_000}m` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`

/** The options of every command that deploys. */
export const deployOptions = {
  ...projectOptions,
  connectTimeout: time(
    "--connect-timeout <time>",
    "how long to wait for a database that is not up yet",
    seconds(defaultSettings.connectTimeout),
  ),
  lockWait: time(
    "--lock-wait <time>",
    "how long to wait for the migration lock, 0: not at all",
    seconds(defaultSettings.lockWait),
  ),
  lockTimeout: time(
    "--lock-timeout <time>",
    "how long a statement waits for a table's lock before it lets the others pass",
    seconds(defaultSettings.lockTimeout),
  ),
  retries: count(
    "--retries <n>",
    "how often to try again after a lock timeout, a deadlock or a lost connection",
    defaultSettings.retries,
  ),
  strict: flag("--strict", "refuse edited, missing and out-of-order migrations"),
  resume: flag("--resume", "go on with a failed non-transactional migration from where it stopped"),
  expectMigrations: flag("--expect-migrations", "an empty migrations folder is an error"),
} as const

/** `lockstep deploy`: applies what is pending, guarded and proved. */
export default defineCommand({
  description: `Applies the pending migrations in order, without prompts.

Each transactional migration commits together with its history row, so a failed one leaves nothing behind.
Any number of deployers may run at once. The history is read back before exit 0.

Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong usage or configuration; 130, 143 interrupted.`,
  options: deployOptions,
  examples: ["DATABASE_URL=postgresql://... lockstep deploy", "lockstep deploy --json --lock-wait 10m"],
  async run({ settings, output, signal, project }) {
    const where = await project("migrations")
    const target = await findTarget(where)
    announce(target, output)
    const result = await deploy({
      url: target.url,
      folder: readFolder(where.migrationsDir),
      settings,
      applicationName: "lockstep deploy",
      signal,
      onEvent: deployReporter(output),
    })
    output.data(verdict(result))
    output.object({ schema: "lockstep.deploy/1", event: "done", ...result })
    return 0
  },
})
