import type { Client } from "../postgres/connect.js"
import { quoted } from "../sql/tree.js"
import { type HeldLocks, observedWork } from "./observed.js"
import { onOneLine, type PendingMigration } from "./pending.js"
import { type PlannedMigration, type PlannedStatement, type Target, type Work, waitsFor } from "./planned.js"
import { brokenBy, observedRequirements } from "./requirements.js"
import { type LockedTable, moveOut } from "./safer.js"
import type { ScratchRun } from "./scratch-run.js"

/** The relations of the target, by their oid on the scratch database, and the schema of its URL. */
export interface TargetLookup {
  readonly target: (oid: number) => Target
  readonly schema: string
}

/** Puts what was observed in the place of what was estimated, migration by migration, in order. */
export class Overlay {
  /** How pending statements have written to the target's tables so far. */
  readonly #written = new Map<number, Set<string>>()
  #next = 0

  constructor(
    private readonly client: Client,
    private readonly run: ScratchRun,
    private readonly lookup: TargetLookup,
  ) {}

  async migration(migration: PendingMigration, estimate: PlannedMigration): Promise<PlannedMigration> {
    const observed = this.run.runs[this.#next++]
    if (observed === undefined) return estimate
    const held: HeldLocks = new Map()
    const statements: PlannedStatement[] = []
    for (const [at, guess] of estimate.statements.entries()) {
      const statement = migration.statements[at]
      const observation = observed.observations[at]
      if (statement === undefined || at > observed.observations.length) statements.push(guess)
      else if (at === observed.observations.length) statements.push({ ...guess, refused: observed.refused?.message })
      else if (observation === undefined) {
        held.clear()
        statements.push({ ...guess, basis: "observed", work: [] })
      } else {
        const isWhole = migration.class === "transactional"
        const until = isWhole ? "end of migration" : "end of statement"
        const before = lockedTables(held, this.run)
        const work = observedWork(observation, { statement, initial: this.run.initial, held, until, ...this.lookup })
        if (migration.class === "non-transactional") held.clear()
        const fails = await this.#fails(observation)
        const out = moveOut(statement.line, work, before)
        statements.push({
          ...{ line: statement.line, column: statement.column },
          text: onOneLine(statement.text),
          basis: "observed",
          work: work.map((each) => withAdvice(each, fails, out)),
          refused: undefined,
          notices: observation.notices,
        })
      }
    }
    const unparsed = migration.unparsed && observed.refused === undefined ? migration.unparsed : estimate.unparsed
    return { ...estimate, statements, unparsed }
  }

  /** Why a statement is certain to fail on the target's rows, by table. What earlier statements write there may prevent it. */
  async #fails(observation: Parameters<typeof observedWork>[0]): Promise<ReadonlyMap<string, string>> {
    const fails = new Map<string, string>()
    for (const requirement of observedRequirements(observation, this.run.initial)) {
      const written = this.#written.get(requirement.oid)
      const mayBeMet =
        requirement.what === "no nulls" ? written !== undefined : written?.has("delete") || written?.has("truncate")
      const broken = mayBeMet ? undefined : await brokenBy(this.client, requirement)
      if (broken !== undefined) fails.set(requirement.table.name, broken)
    }
    for (const { oid, writes, cascades } of observation.relations) {
      const commands = this.#written.get(oid) ?? new Set()
      for (const command of [...writes, ...cascades.map((each) => each.command)]) commands.add(command)
      if (commands.size > 0) this.#written.set(oid, commands)
    }
    return fails
  }
}

const withAdvice = (work: Work, fails: ReadonlyMap<string, string>, out: string | undefined): Work => {
  const broken = [...fails].flatMap(([name, why]) => (work.table?.endsWith(quoted({ name })) ? [why] : []))
  const isLong = work.target.state === "existing" && work.costs.some((cost) => cost !== "instant")
  const own = work.safer.filter((way) => !way.startsWith("update in batches"))
  return { ...work, fails: broken, safer: isLong && out !== undefined ? [...own, out] : work.safer }
}

/** The target's tables that earlier statements of the transaction keep others out of. */
function lockedTables(held: HeldLocks, { initial }: ScratchRun): readonly LockedTable[] {
  return [...held].flatMap(([oid, { lock, line }]) => {
    const relation = initial.relations.get(oid)
    if (relation === undefined || waitsFor(lock) === "nobody" || !isTable.has(relation.kind)) return []
    return [{ table: quoted({ name: relation.name }), line }]
  })
}

const isTable: ReadonlySet<string> = new Set(["r", "p", "m"])
