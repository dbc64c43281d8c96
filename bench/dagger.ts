import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { cpus, loadavg, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { execa } from "execa"
import { down, up } from "../src/test-db/server.js"
import { engineAnswers } from "../test/dagger-engine/engine.js"
import { readOciImage } from "../test/dagger-engine/oci.js"
import { helloWorld } from "./hello-world.js"
import { type Contender, race, type Timing } from "./measure.js"

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, json: { type: "boolean", default: false } },
})
const runs = Number(values.runs)
const results: Record<string, unknown> = {}
let added = 0
const quiet = { DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1", DAGGER_NO_UPDATE_CHECK: "1" }

if (!(await engineAnswers())) {
  console.error("no Dagger engine answers: nothing is measured")
  process.exit(process.env.DAGGER_REQUIRED === "1" ? 1 : 0)
}

const folder = await mkdtemp(join(tmpdir(), "lockstep-bench-dagger-"))
const project = join(folder, "project")
const server = await up(folder)
try {
  const origin = resolve(import.meta.dirname, "..")
  await execa("git", ["clone", "--quiet", origin, project])
  await rm(join(project, "dagger"), { recursive: true })
  for (const path of ["dagger", "dagger.json"]) await cp(join(origin, path), join(project, path), { recursive: true })
  const hello = await helloWorld(join(folder, "hello"))
  console.error(
    `Dagger ${await version()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; medians of ${runs} runs in turn, whole processes`,
  )
  const database = ["--database-url=env://DATABASE_URL", `--database=tcp://127.0.0.1:${server.port}`]
  const call = (name: string, command: readonly string[], more: Partial<Contender> = {}): Contender => ({
    name,
    command: ["dagger", "--progress=plain", "call", ...command],
    cwd: project,
    env: { ...quiet, DATABASE_URL: server.url },
    ...more,
  })

  await first("the first deploy of all, cold", call("deploy", ["deploy", ...database]))
  show(
    "a warm status",
    await race(
      [
        call("hello world, cached", ["hello"], { cwd: hello }),
        call("hello world, run", ["hello-again"], { cwd: hello }),
        call("status", ["status", ...database]),
      ],
      runs,
    ),
  )

  const verify = call("verify", ["verify", "export", `--path=${join(folder, "report")}`])
  await first("the first verify", verify)
  show("verify with nothing changed", await race([verify], runs))
  show("verify after one new migration", await race([{ ...verify, prepare: newMigration }], Math.max(2, runs - 2)))

  const image = join(folder, "image.tar")
  const tarball = call("tarball", ["tarball", "export", `--path=${image}`])
  await first("the image's tarball", tarball)
  const before = await readOciImage(image)
  await newMigration()
  await first("the image's tarball after one new migration", tarball)
  const after = await readOciImage(image)
  const rebuilt = after.layers.filter(({ digest }) => !before.layers.some((layer) => layer.digest === digest))
  results["layers rebuilt"] = rebuilt.map(({ bytes }) => bytes)
  console.error(
    `\nafter one new migration ${rebuilt.length} of ${after.layers.length} layers is rebuilt: ${rebuilt.map(({ bytes }) => `${(bytes / 1000).toFixed(0)} kB`).join(", ")}`,
  )
} finally {
  await down(folder)
  await rm(folder, { recursive: true, force: true })
}
if (values.json) console.log(JSON.stringify(results))

/** One more migration, unlike any that the engine has seen. */
async function newMigration(): Promise<void> {
  added += 1
  const name = `${20_270_101_000_000 + added}_note`
  await mkdir(join(project, "prisma/migrations", name))
  const text = `COMMENT ON TABLE "Order" IS '${Date.now()}';\n`
  await writeFile(join(project, "prisma/migrations", name, "migration.sql"), text)
}

async function version(): Promise<string> {
  const { stdout } = await execa("dagger", ["version"], { env: quiet })
  return stdout.split(" ")[1] ?? stdout
}

/** Times one run, without a warm-up. */
async function first(title: string, { command: [program = "", ...words], cwd, env }: Contender): Promise<void> {
  const { durationMs } = await execa(program, words, { ...(cwd ? { cwd } : {}), env: { ...env } })
  results[title] = durationMs
  console.error(`\n${title}: ${(durationMs / 1000).toFixed(1)} s`)
}

function show(title: string, timings: readonly Timing[]): void {
  results[title] = timings
  const [base] = timings
  console.error(`\n${title}`)
  for (const { name, medianMs, minMs, maxMs } of timings) {
    const ratio = base && base.name !== name ? `   ${(medianMs / base.medianMs).toFixed(2)} x ${base.name}` : ""
    console.error(
      `  ${name.padEnd(22)} ${(medianMs / 1000).toFixed(2).padStart(6)} s   (${(minMs / 1000).toFixed(2)} to ${(maxMs / 1000).toFixed(2)})${ratio}`,
    )
  }
}
