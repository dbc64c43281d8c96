/**
 * A fleet: many databases on one embedded server, with nothing to do, and with one small migration each. Budget, on two
 * cores: nothing to do over 1,000 in under 12 s and 150 MiB; one migration each at most 1.3 times psql over the same
 * databases at the same concurrency.
 */
import { chmod, mkdtemp, rm, statfs, writeFile } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import pg from "pg"
import { down, up } from "../src/test-db/server.js"
import { appendMigration, writeHistory } from "./fixtures.js"
import { type Contender, peakMemory, race, type Timing } from "./measure.js"
import { buildStockEngine, fleetContender, loopContenders, psqlFleet } from "./tools.js"

const { values } = parseArgs({
  options: {
    targets: { type: "string", default: "1000" },
    runs: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
})
const count = Number(values.targets)
const runs = Number(values.runs)
const concurrency = 8
/** How many databases the loops go over; they take the same time for each. */
const looped = 10
const bytesEach = 10e6
const results: Record<string, unknown> = {}

const { bavail, bsize } = await statfs(tmpdir())
if (bavail * bsize < count * bytesEach) throw new Error(`${tmpdir()} has no room for ${count} databases of 8 MB`)

await buildStockEngine()
const folder = await mkdtemp(join(tmpdir(), "lockstep-bench-fleet-"))
// Run by root, the server is another user, and would keep its data elsewhere.
await chmod(folder, 0o755)
const server = await up(folder)
const history = await writeHistory(10)
try {
  console.error(
    `\na fleet of ${count} databases: PostgreSQL ${server.version}, Node ${process.version}, ${cpus().length} cores; medians of ${runs} runs in turn, of the loops one`,
  )
  const url = (name: string): string => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  const names = Array.from({ length: count }, (_, index) => `tenant_${index + 1}`)
  const loops = ["lockstep", "dbmate", "prisma"] as const
  const ofLoop = (loop: string) => Array.from({ length: looped }, (_, index) => `${loop}_${index + 1}`)
  await createDatabases([...loops.flatMap(ofLoop), ...names])
  const list = join(history.root, "targets.txt")
  await writeFile(list, `${names.map(url).join("\n")}\n`)

  const fleet = fleetContender(history, { list, concurrency })
  const urls = (loop: string) => ofLoop(loop).map(url)
  const loopsOver = loopContenders(history, {
    lockstep: urls("lockstep"),
    dbmate: urls("dbmate"),
    prisma: urls("prisma"),
  })
  console.error("applying 10 migrations to each …")
  await race([fleet, ...loopsOver], 0)

  show(`nothing to do, ${count} databases`, await race([fleet], runs), await race(loopsOver, 1))
  memory("nothing to do", await peakMemory(fleet))

  // Each run has a migration that none had before, so that no database has to be made again.
  let written = 0
  const fresh = (one: Contender): Contender => ({ ...one, prepare: () => appendMigration(history, written++) })
  const psql = psqlFleet(history, { list, concurrency })
  const byPsql = psql === undefined ? [] : [fresh(psql)]
  show(
    `one small migration each, ${count} databases`,
    await race([fresh(fleet), ...byPsql], runs),
    await race(loopsOver.map(fresh), 1),
  )
  memory("one small migration each", await peakMemory(fresh(fleet)))
} finally {
  await down(folder)
  for (const root of [folder, history.root]) await rm(root, { recursive: true, force: true })
}
if (values.json) console.log(JSON.stringify(results))

/** Copies of an empty database. */
async function createDatabases(all: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  for (const [index, name] of all.entries()) {
    await client.query(`CREATE DATABASE ${name} STRATEGY FILE_COPY`)
    if ((index + 1) % 100 === 0) console.error(`created ${index + 1} of ${all.length} databases …`)
  }
  await client.end()
}

/** A loop took as long over ten databases; for all of them as many times more. */
function show(title: string, fleets: readonly Timing[], loops: readonly Timing[]): void {
  const scale = count / looped
  const all = [
    ...fleets,
    ...loops.map(({ name, medianMs, minMs, maxMs }) => ({
      name: `${name}, ${looped} times ${scale}`,
      ...{ medianMs: medianMs * scale, minMs: minMs * scale, maxMs: maxMs * scale },
    })),
  ]
  results[title] = all
  const [first] = all
  console.error(`\n${title}`)
  for (const { name, medianMs, minMs, maxMs } of all) {
    const ratio =
      first && first.name !== name ? `   the fleet takes ${(first.medianMs / medianMs).toFixed(3)} of it` : ""
    console.error(
      `  ${name.padEnd(44)} ${(medianMs / 1000).toFixed(1).padStart(7)} s   (${(minMs / 1000).toFixed(1)} to ${(maxMs / 1000).toFixed(1)})${ratio}`,
    )
  }
}

function memory(what: string, mib: number): void {
  results[`peak memory, ${what}, MiB`] = mib
  console.error(`  peak memory: ${mib.toFixed(0)} MiB`)
}
