import { createColors } from "picocolors"
import { lockFor } from "../../cli/database.js"
import { runDeploy } from "../../cli/deploy.js"
import { forPeople } from "../../cli/output.js"
import { parseSettings } from "../../cli/settings.js"
import { deployOptions } from "../../cli/shared-options.js"
import { readComparison, readDatabase } from "../../deploy/connect/read.js"
import type { DeployEvent } from "../../deploy/events.js"
import { digestOf, type Folder, readFolder } from "../../history/folder.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { readManifest } from "../../project/manifest.js"
import { deployNarrator, verdict } from "../../report/deploy.js"
import { type CliStderr, openCliStderr } from "./cli-stderr.js"
import { withPrismaCommands } from "./failure.js"
import type { Guards, Order, Person } from "./methods.js"

/** Prisma's CLI passes on no flags. */
const settingsHere = () =>
  parseSettings(deployOptions, { flags: {}, env: process.env, section: readManifest(process.cwd()).lockstep })

/**
 * Reports a deploy on the CLI's stderr, and on its stdout what Prisma's own engine prints there. `migrate dev` deploys
 * several times: what was said before is not said again, and nothing where nothing happens.
 */
function narrator(stderr: CliStderr, { print }: Pick<Person, "print">) {
  const said = new Set<string>()
  let heldBack: string[] = []
  const say = (text: string): void => {
    for (const line of [...heldBack, text]) stderr.say(forPeople(withPrismaCommands(line)))
    heldBack = []
  }
  let event: DeployEvent["event"] | undefined
  const narrate = deployNarrator({
    paint: createColors(false),
    say: (text) => {
      if (event === "began") heldBack = [text]
      else if (event === "planned") heldBack.push(text)
      else if (event !== "note" || said.size < said.add(text).size) say(text)
    },
    live: () => undefined,
  })
  const onEvent = (each: DeployEvent): void => {
    event = each.event
    if (each.event === "note" && each.text.startsWith(noMigrations)) return
    if (each.event === "applied") print(`Applying migration \`${each.name}\``)
    narrate(each)
  }
  return { say, onEvent }
}

/** Prisma says so itself. */
const noMigrations = "there are no migrations in "

/** The lock is waited for as a deploy waits for it, and migrations are applied as `lockstep deploy` does it. */
export function guardsFor(stderr: CliStderr = openCliStderr()): Guards & { readonly cliStderr: CliStderr } {
  let reporting: ReturnType<typeof narrator> | undefined
  const report = (person: Person) => {
    reporting ??= narrator(stderr, person)
    return reporting
  }
  return {
    cliStderr: stderr,
    lockWith: (url, person) =>
      lockFor({
        target: { url: parseDatabaseUrl(url) },
        signal: person.signal,
        onEvent: report(person).onEvent,
        settings: settingsHere(),
      }),
    async adoptSquashed(order, person) {
      const folder = readFolder(order.migrationsDir)
      if (folder.migrations.every(({ squash }) => squash === undefined)) return
      const url = parseDatabaseUrl(order.url)
      const reading = { url, applicationName: "prisma migrate" }
      const found = await readDatabase(reading, (client) => readComparison(client, { url, folder })).catch(
        () => undefined,
      )
      if (found === undefined || found.comparison.adoptions.length === 0) return
      const migrations = found.comparison.applied.map(({ migration }) => migration)
      await apply(order, { ...folder, migrations, digest: digestOf(migrations) }, person)
    },
    applyMigrations: (order, person) => apply(order, readFolder(order.migrationsDir), person),
  }

  async function apply({ url, external }: Order, folder: Folder, person: Person): Promise<readonly string[]> {
    const { say, onEvent } = report(person)
    const result = await runDeploy({
      settings: settingsHere(),
      url: parseDatabaseUrl(url),
      folder,
      external,
      // Prisma's CLI does not pass on the configured shadow database; a new one on the same server serves as well.
      shadow: { shadowUrl: undefined, initShadowDb: undefined },
      applicationName: "prisma migrate",
      signal: person.signal,
      onEvent,
    })
    const { applied, appliedMeanwhile, adopted = [] } = result
    if (applied.length + appliedMeanwhile + adopted.length > 0) say(verdict(result))
    return applied
  }
}
