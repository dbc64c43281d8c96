import type { Available, Given, Need, Resources } from "../../../check/resources.js"
import type { HistoryEntry, Picture } from "../picture.js"
import { historyEntries, plainMigration, subjectOf } from "./history.js"
import { planFacts, plannedMigrations } from "./plan.js"

/** The picture of what the checks were given: the branch's migrations as they were planned, the history, the schema. */
export async function checkPicture(given: Given): Promise<Picture> {
  const [folder, database, changes, planned] = await Promise.all([
    available(given, "folder"),
    available(given, "database"),
    available(given, "changes"),
    available(given, "plan"),
  ])
  const plan = planned?.plan
  const isNew = new Set(changes?.migrations.map(({ name }) => name))
  const inFolder = (folder?.migrations ?? []).map(
    ({ name }): HistoryEntry => ({ name, state: isNew.has(name) ? "pending" : "known" }),
  )
  const basis = plan?.basis.basis === "observed" ? `PostgreSQL ${plan.basis.version} (${plan.basis.on})` : undefined
  return {
    subject: database && subjectOf(database.url),
    basis: basis && `The branch's migrations were observed on ${basis}, on a scratch database that has all others.`,
    remarks: [],
    facts: [
      ...(changes
        ? [{ label: "New on the branch", value: String(changes.migrations.length), tone: "info" as const }]
        : []),
      ...(plan ? planFacts(plan.migrations) : []),
    ],
    history: database === undefined ? inFolder : historyEntries(database.comparison.all),
    migrations: plan
      ? plannedMigrations(plan)
      : (changes?.migrations ?? []).map((migration) => plainMigration(migration, "pending")),
    backfills: [],
    schema: plan?.schema,
  }
}

async function available<N extends Need>(given: Given, need: N): Promise<Resources[N] | undefined> {
  const found: Available<Resources[N]> | undefined = await given(need)
  return found?.state === "available" ? found.value : undefined
}
