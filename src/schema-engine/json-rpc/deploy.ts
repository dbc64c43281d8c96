import { createColors } from "picocolors"
import { lockFor } from "../../cli/database.js"
import { runDeploy } from "../../cli/deploy.js"
import { forPeople } from "../../cli/output.js"
import { parseSettings } from "../../cli/settings.js"
import { deployOptions } from "../../cli/shared-options.js"
import { readFolder } from "../../history/folder.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { readManifest } from "../../project/manifest.js"
import { deployNarrator, verdict } from "../../report/deploy.js"
import type { Guards, Person } from "./methods.js"

/** Prisma's CLI passes on no flags. */
const settingsHere = () =>
  parseSettings(deployOptions, { flags: {}, env: process.env, section: readManifest(process.cwd()).lockstep })

const narrator = ({ print }: Person) =>
  deployNarrator({ paint: createColors(false), say: (text) => print(forPeople(text)), live: () => undefined })

/** The lock is waited for as a deploy waits for it, and migrations are applied as `lockstep deploy` does it. */
export const guards: Guards = {
  lockWith: (url, person) =>
    lockFor({
      target: { url: parseDatabaseUrl(url) },
      signal: person.signal,
      onEvent: narrator(person),
      settings: settingsHere(),
    }),
  async applyMigrations({ url, migrationsDir }, person) {
    const result = await runDeploy({
      settings: settingsHere(),
      url: parseDatabaseUrl(url),
      folder: readFolder(migrationsDir),
      // Prisma's CLI does not pass on the configured shadow database; a new one on the same server serves as well.
      shadow: { shadowUrl: undefined, initShadowDb: undefined },
      applicationName: "prisma migrate",
      signal: person.signal,
      onEvent: narrator(person),
    })
    person.print(forPeople(verdict(result)))
    return result.applied
  },
}
