import { chmod, mkdtemp, rm } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { down, up } from "../src/test-db/server.js"
import inMemory from "../test/support/memory.js"
import { addMigration, type History, writeHistory } from "./fixtures.js"
import { peakMemory, race, type Timing } from "./measure.js"
import { buildStockEngine, contenders, Databases, planContenders, type Verb } from "./tools.js"

const { values } = parseArgs({
  options: { runs: { type: "string", default: "7" }, json: { type: "boolean", default: false } },
})
const runs = Number(values.runs)
const results: Record<string, unknown> = {}

await inMemory()
await buildStockEngine()
const folder = await mkdtemp(join(tmpdir(), "lockstep-bench-"))
// Run by root, the server is another user, and would keep its data elsewhere.
await chmod(folder, 0o755)
const server = await up(folder)
const databases = new Databases(server.url)
const histories: History[] = []
try {
  console.error(
    `PostgreSQL ${server.version}, Node ${process.version}, ${cpus().length} cores; medians of ${runs} runs in turn, whole processes`,
  )
  const history = async (count: number) => {
    const made = await writeHistory(count)
    histories.push(made)
    return made
  }
  const small = await history(10)
  const ordinary = await history(500)
  const large = await history(2000)
  const thousand = await history(1000)

  show("deploy of 500 migrations", await race(contenders(ordinary, databases, "deploy", true), runs))
  await bringUp(small)
  show("nothing to do, 10 migrations: deploy", await race(contenders(small, databases, "deploy", false), runs))
  show(
    "nothing to do, 500 migrations: deploy",
    await race(contenders(ordinary, databases, "deploy", false).filter(hasHistory), runs),
  )
  show("status, 500 migrations", await race(contenders(ordinary, databases, "status", false).filter(hasHistory), runs))

  const planned = await history(430)
  const [applied] = contenders(planned, databases, "deploy", false)
  if (applied) {
    await race([{ ...applied, prepare: () => databases.recreate("bench_lockstep_430") }], 0)
    await addMigration(planned)
    show("plan of one new migration, 430 applied", await race(planContenders(planned, databases, server.url), runs))
  }

  const [few] = contenders(small, databases, "deploy", false)
  const [many] = contenders(large, databases, "deploy", false)
  const [fresh] = contenders(large, databases, "deploy", true)
  if (few && many && fresh) {
    await race([fresh], 0)
    show(
      "nothing to do: 2000 migrations against 10",
      await race(
        [
          { ...few, name: "10 migrations" },
          { ...many, name: "2000 migrations" },
        ],
        runs,
      ),
    )
  }
  const [thousandth] = contenders(thousand, databases, "deploy", true)
  if (thousandth) {
    const memory = await peakMemory(thousandth)
    results["peak memory, deploy of 1000 migrations, MiB"] = memory
    console.error(`\npeak memory, deploy of 1000 migrations: ${memory.toFixed(0)} MiB`)
  }
} finally {
  await down(folder)
  for (const root of [folder, ...histories.map((one) => one.root)]) await rm(root, { recursive: true, force: true })
}
if (values.json) console.log(JSON.stringify(results))

async function bringUp(one: History): Promise<void> {
  await race(contenders(one, databases, "deploy" satisfies Verb, true).filter(hasHistory), 0)
}

function hasHistory({ name }: { name: string }): boolean {
  return name !== "psql"
}

function show(title: string, timings: readonly Timing[]): void {
  results[title] = timings
  const [first] = timings
  console.error(`\n${title}`)
  for (const { name, medianMs, minMs, maxMs } of timings) {
    const ratio =
      first && first.name !== name ? `   lockstep takes ${(first.medianMs / medianMs).toFixed(2)} of it` : ""
    console.error(
      `  ${name.padEnd(18)} ${medianMs.toFixed(0).padStart(6)} ms   (${minMs.toFixed(0)} to ${maxMs.toFixed(0)})${ratio}`,
    )
  }
}
