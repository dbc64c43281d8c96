import { readComparison, readDatabase } from "../deploy/connect/read.js"
import { betweenRefusal } from "../history/adoption.js"
import type { Folder } from "../history/folder.js"
import { type ExternalObjects, findExistingObjects } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { changes } from "../sql/changes.js"
import { effects } from "../sql/effects.js"
import { quoted } from "../sql/tree.js"
import { estimated, type Known, mentioned } from "./estimate.js"
import { readFacts, withPending } from "./facts.js"
import { Overlay } from "./overlay.js"
import { type PendingMigration, preparePending } from "./pending.js"
import type { Plan, PlanBasis, PlannedMigration, PlannedStatement, Target } from "./planned.js"
import { brokenBy, requirementsOf } from "./requirements.js"
import { type NoScratchRun, runOnScratch, type ScratchChoice, type ScratchRun } from "./scratch-run.js"
import { tablesOf } from "./tables.js"
import { existing, readRelations, readReplicas } from "./target.js"

/** What a plan needs. */
export interface PlanRequest {
  readonly url: DatabaseUrl
  readonly folder: Folder
  /** Where the pending migrations are observed; "none": they are estimated. */
  readonly scratch: ScratchChoice | "none"
  /** What others manage: a database without a history may hold it. */
  readonly external?: ExternalObjects | undefined
  /** "catalogs": the plan has the scratch database's objects before and after, which takes a copy of that database. */
  readonly keeps?: "catalogs" | undefined
  /** In place of runOnScratch: for who has the same run for several databases. */
  readonly observe?: typeof runOnScratch | undefined
  /** 1: where a second connection is needed, NeedsSecondConnection is thrown. */
  readonly connections?: 1 | 2 | undefined
}

/**
 * What a deploy would do now: every statement of the pending migrations, with its locks, rewrites, scans, writes and
 * losses as they were observed on a scratch database in the state of the applied ones, and the relations' sizes in the
 * database. Where no scratch database can be had, by the rules of docs/lock-rules.md. Of the database it reads only.
 * Errors: L1013 psql meta-commands, L1108 and L1110 the history cannot be read, L1210 to L1219 no connection, L1021 a transaction pooler,
 * L1851 some of what a squashed migration replaces is not applied.
 */
export async function planMigrations(request: PlanRequest): Promise<Plan> {
  const { url, folder, scratch, external, keeps, connections, observe = runOnScratch } = request
  return await readDatabase({ url, applicationName: "lockstep plan", connections }, async (client) => {
    const { comparison, history } = await readComparison(client, { url, folder })
    const [between] = comparison.inBetween
    if (between !== undefined) throw betweenRefusal(between)
    const pending = await preparePending(comparison.pending)
    const applied = comparison.applied.map(({ migration }) => migration)
    const work = { target: client, url, applied, pending, keeps }
    const run = pending.length === 0 || scratch === "none" ? notRun(scratch) : await observe(scratch, work)
    const common = {
      target: `${url.host}:${url.port}/${url.database}`,
      total: folder.migrations.length,
      failed: comparison.failed.map(({ name }) => name),
      adopts: comparison.adoptions.map(({ migration }) => migration.name),
      existingObjects: history === "none" ? await findExistingObjects(client, url.schema, external) : undefined,
      replicas: pending.length === 0 ? [] : await readReplicas(client),
      drift: "runs" in run && history === "exists" ? run.drift : undefined,
      history: comparison.all,
      schema: "runs" in run ? run.schema : undefined,
    }
    return { ...common, basis: basisOf(run), migrations: await plannedMigrations(client, { url, pending, run }) }
  })
}

const notRun = (scratch: PlanRequest["scratch"]): NoScratchRun => ({
  why: scratch === "none" ? "as --estimate asks for" : "nothing is pending",
  next: undefined,
})

const basisOf = (run: ScratchRun | NoScratchRun): PlanBasis =>
  "runs" in run ? { basis: "observed", version: run.version, on: run.on } : { basis: "estimated", ...run }

interface Planning {
  readonly url: DatabaseUrl
  readonly pending: readonly PendingMigration[]
  readonly run: ScratchRun | NoScratchRun
}

async function plannedMigrations(client: Client, planning: Planning): Promise<readonly PlannedMigration[]> {
  const { url, pending, run } = planning
  const { names, schemas } = mentioned(pending)
  const nodes = pending.flatMap(({ statements }) => statements.map(({ node }) => node))
  const facts = withPending(await readFacts(client, names), nodes)
  const touched = "runs" in run ? touchedIn(run) : []
  const found = await readRelations(client, {
    names: [
      ...new Set([
        ...names,
        ...facts.foreignKeys.flatMap(({ from, to }) => [from, to]),
        ...facts.defaultPartitions.values(),
        ...touched.map(({ name }) => name),
      ]),
    ],
    schemas: [...new Set([url.schema, ...schemas, ...touched.map(({ schema }) => schema)])],
  })
  const known: Known = { tables: tablesOf(found, url.schema), facts }
  const estimates = pending.map((migration) => estimated(migration, known))
  if (!("runs" in run)) return await withFailures(client, { pending, estimates, url })
  const byName = new Map(found.map((one) => [quoted({ schema: one.schema, name: one.name }), existing(one)]))
  const target = (oid: number): Target => {
    const relation = run.initial.relations.get(oid)
    const owner = relation && (run.initial.relations.get(relation.indexOf) ?? relation)
    return (owner && byName.get(quoted({ schema: owner.schema, name: owner.name }))) ?? { state: "absent" }
  }
  const overlay = new Overlay(client, run, { target, schema: url.schema })
  const migrations: PlannedMigration[] = []
  for (const [at, estimate] of estimates.entries()) {
    const migration = pending[at]
    migrations.push(migration === undefined ? estimate : await overlay.migration(migration, estimate))
  }
  return migrations
}

/** The relations of the target that the observed statements did something to. */
function touchedIn({ runs, initial }: ScratchRun) {
  const oids = runs.flatMap(({ observations }) =>
    observations.flatMap((each) => each?.relations.map(({ oid, indexOf }) => indexOf ?? oid) ?? []),
  )
  return [...new Set(oids)].flatMap((oid) => initial.relations.get(oid) ?? [])
}

const writing = /^(?:update|delete|truncate|merge|insert)/
const emptying = /^(?:delete|truncate|merge)/

interface Estimating {
  readonly pending: readonly PendingMigration[]
  readonly estimates: readonly PlannedMigration[]
  readonly url: DatabaseUrl
}

/** Adds what is certain to fail to estimates. */
async function withFailures(
  client: Client,
  { pending, estimates, url }: Estimating,
): Promise<readonly PlannedMigration[]> {
  const written = new Set<string>()
  const emptied = new Set<string>()
  const migrations: PlannedMigration[] = []
  for (const [at, estimate] of estimates.entries()) {
    const statements: PlannedStatement[] = []
    for (const [index, planned] of estimate.statements.entries()) {
      const node = pending[at]?.statements[index]?.node
      const fails: string[] = []
      for (const requirement of node === undefined ? [] : requirementsOf(node)) {
        const table = { schema: url.schema, ...requirement.table }
        const mayBeMet = (requirement.what === "no nulls" ? written : emptied).has(table.name)
        const broken = mayBeMet ? undefined : await brokenBy(client, { ...requirement, table })
        if (broken !== undefined) fails.push(broken)
      }
      const [first, ...others] = planned.work
      const work = fails.length > 0 && first !== undefined ? [{ ...first, fails }, ...others] : planned.work
      statements.push({ ...planned, work })
      for (const { table, rule } of node === undefined ? [] : effects(node))
        if (table !== undefined && writing.test(rule)) {
          written.add(table.name)
          if (emptying.test(rule)) emptied.add(table.name)
        }
      // What is created, dropped or renamed is another table than the target's of that name.
      for (const change of node === undefined ? [] : changes(node))
        if (change.change === "move") for (const set of [written, emptied]) set.add(change.from.name)
    }
    migrations.push({ ...estimate, statements })
  }
  return migrations
}
