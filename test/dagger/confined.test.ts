import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createDatabase } from "../postgres.js"
import { call } from "./dagger.js"
import { createOtherProject } from "./other-project.js"

/** What a pod gets that runs under the restricted pod security standard. */
const confined = ["--rm", "--read-only", "--cap-drop=ALL", "--user=54321:54321", "--network=host"]

/** How containers run here: a command line up to `run`, with what this machine needs; undefined: not at all. */
const engine = await (async () => {
  const given = process.env.LOCKSTEP_TEST_CONTAINERS?.split(" ")
  for (const words of given
    ? [given]
    : [
        ["docker", "run"],
        ["podman", "run"],
      ]) {
    const [program = ""] = words
    if (!(await execa(program, ["info"], { reject: false })).failed) return { program, words: words.slice(1) }
  }
  console.log("neither podman nor docker runs: the image is not tried in a really read-only container")
  return undefined
})()

const folder = mkdtempSync(join(tmpdir(), "lockstep-confined-"))
let image = ""

beforeAll(async () => {
  if (engine === undefined) return
  const project = await createOtherProject()
  const path = join(folder, "image.tar")
  await call(["-m", "./toolchains/lockstep", "--source=.", "tarball", "export", `--path=${path}`], {
    cwd: project.root,
  })
  project.drop()
  const { stdout } = await execa(engine.program, ["load", "--quiet", "--input", path])
  image = stdout.trim().split(/\s+/).at(-1) ?? ""
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  if (engine && image) await execa(engine.program, ["rmi", "--force", image], { reject: false })
})

const run = (url: string, ...command: string[]) =>
  execa(engine?.program ?? "", [...(engine?.words ?? []), ...confined, "--env", "DATABASE_URL", image, ...command], {
    env: { DATABASE_URL: url },
    reject: false,
    all: true,
  })

test.runIf(engine)(
  "five replicas at once, read-only and without capabilities, through the chart's command",
  async () => {
    const { url, query } = await createDatabase()
    const replicas = await Promise.all(Array.from({ length: 5 }, () => run(url, "npx", "prisma", "migrate", "deploy")))
    expect(replicas.map(({ exitCode, all }) => ({ exitCode, all }))).toEqual(
      replicas.map(() => ({ exitCode: 0, all: expect.stringMatching(/No pending migrations|have been applied/) })),
    )
    expect(await query('SELECT count(*)::int AS rows FROM "_prisma_migrations"')).toEqual([{ rows: 1 }])
    expect(await run(url)).toMatchObject({ exitCode: 0, all: expect.stringContaining("Nothing to do") })
  },
)
