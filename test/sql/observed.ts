import pg from "pg"
import { runsAlone } from "../../src/sql/classify.js"
import { type Effect, effects } from "../../src/sql/effects.js"
import { parseScript, type Statement } from "../../src/sql/parse.js"
import { lockModes } from "../../src/sql/rules.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { type Measured, measureAlone, measureInside } from "./measure.js"
import { prepareSurroundings, stock } from "./shop.js"

/** What is expected, or observed, of one relation: lock, rewrite, scan. */
export interface Account {
  readonly lock: string | undefined
  readonly rewrites: boolean | "depends"
  readonly scans: boolean | "depends"
}

/** What a statement is expected to do, and what it was observed to do, each by the relation's name; equal when all is well. */
export interface Observation {
  readonly effects: readonly Effect[]
  readonly expected: Readonly<Record<string, Account>>
  readonly observed: Readonly<Record<string, Account>>
}

/** A database with the shop in it, to watch statements on. */
export interface Shop {
  observe(sql: string): Promise<Observation>
  /** What one statement, which may run in a transaction, does to every relation. */
  measure(sql: string): Promise<readonly Measured[]>
  /** Runs SQL that lasts, such as a constraint that the statement under test needs. */
  prepare(sql: string): Promise<void>
  close(): Promise<void>
}

/** Opens a shop of its own. */
export async function openShop(): Promise<Shop> {
  const database = await createDatabase()
  const client = new pg.Client(database.url)
  await client.connect()
  await prepareSurroundings(client)
  await stock(client)
  return {
    observe: (sql) => observe(database, client, sql),
    measure: (sql) => measureInside(client, sql),
    prepare: async (sql) => {
      await client.query(sql)
    },
    close: async () => {
      await client.end()
      await database.drop()
    },
  }
}

/** The only statement of a script. */
export async function statementOf(sql: string): Promise<Statement> {
  const script = await parseScript(sql)
  const statement = script.kind === "script" ? script.statements[0] : undefined
  if (statement === undefined) throw new Error(`no statement: ${sql}`)
  return statement
}

async function observe(database: TestDatabase, client: pg.Client, sql: string): Promise<Observation> {
  const statement = await statementOf(sql)
  const all = effects(statement.node)
  const measured = await measure(database, client, statement, all)
  const named = ({ name, lock }: Measured) =>
    all.filter((effect) => {
      const relation = effect.table ?? effect.index
      return relation === undefined ? effect.lock === lock : relation.name === name
    })
  const indexes = new Set(all.flatMap(({ index }) => index?.name ?? []))
  const tablesOfThose = new Set(measured.flatMap(({ name, tableOfIndex }) => (indexes.has(name) ? [tableOfIndex] : [])))

  // Reading locks (ACCESS SHARE) keep nobody waiting, and a table's indexes share its fate.
  const isOfInterest = (each: Measured) =>
    each.tableOfIndex === null &&
    each.lock !== undefined &&
    each.lock !== "ACCESS SHARE" &&
    !tablesOfThose.has(each.name)
  const compared = measured.filter((each) => named(each).length > 0 || isOfInterest(each))
  const expected = Object.fromEntries(compared.map((each) => [each.name, sum(named(each), each)]))
  const observed = Object.fromEntries(
    compared.map(({ name, lock, rewrites, scans }) => [name, { lock, rewrites, scans }]),
  )
  return { effects: all, expected, observed }
}

async function measure(database: TestDatabase, client: pg.Client, statement: Statement, all: readonly Effect[]) {
  if (!runsAlone(statement)) return await measureInside(client, statement.text)
  const names = new Set(all.flatMap(({ table, index }) => (table ?? index)?.name ?? []))
  const measured: Measured[] = []
  for (const name of names.size === 0 ? ["Order"] : names) {
    const table = name.replace(/_.*_idx$/, "")
    const observed = await measureAlone(database.url, statement.text, table)
    measured.push(...observed.filter((each) => each.name === name))
  }
  return measured
}

/** Several effects on one relation, as one; what depends is taken as it was measured. */
function sum(all: readonly Effect[], measured: Measured): Account {
  const worst = (values: readonly (boolean | "depends")[], observed: boolean) =>
    values.includes(true) || (values.includes("depends") && observed)
  return {
    lock: lockModes.findLast((mode) => all.some(({ lock }) => lock === mode)),
    rewrites: worst(
      all.map(({ rewrites }) => rewrites),
      measured.rewrites,
    ),
    scans: worst(
      all.map(({ scans }) => scans),
      measured.scans,
    ),
  }
}
