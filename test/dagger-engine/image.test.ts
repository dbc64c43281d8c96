import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createDatabase } from "../support/postgres.js"
import { call, dagger } from "./dagger.js"
import { layersOf, type OciImage, readOciImage } from "./oci.js"
import { createOtherProject, type OtherProject } from "./other-project.js"

const megabyte = 1_000_000
const folder = mkdtempSync(join(tmpdir(), "lockstep-images-"))
let project: OtherProject

beforeAll(async () => {
  project = await createOtherProject()
})

afterAll(() => {
  project.drop()
  rmSync(folder, { recursive: true })
})

const module = ["-m", "./toolchains/lockstep", "--source=."]

/** Builds the image and reads what a registry would get. */
async function build(name: string, ...words: string[]): Promise<OciImage> {
  const path = join(folder, `${name}.tar`)
  await call([...module, "tarball", ...words, "export", `--path=${path}`], { cwd: project.root })
  return await readOciImage(path)
}

describe("the image", () => {
  test("is labelled, runs as nobody, and holds what it needs within 75 MB above Node", async () => {
    const image = await build("full", "--revision=0123abc", "--repository=https://example.com/shop")
    const { labels, user, cmd, entrypoint, workdir } = image.config
    expect(labels).toMatchObject({
      "dev.lockstep.history.count": "1",
      "dev.lockstep.history.last": "20260101000000_init",
      "dev.lockstep.history.digest": expect.stringMatching(/^sha256:[0-9a-f]+$/),
      "org.opencontainers.image.revision": "0123abc",
      "org.opencontainers.image.source": "https://example.com/shop",
      "org.opencontainers.image.version": "1.2.3",
    })
    expect({ user, cmd, entrypoint, workdir }).toEqual({
      user: "65532:65532",
      cmd: expect.arrayContaining(["deploy"]),
      entrypoint: [],
      workdir: "/app",
    })
    const own = layersOf(image, "app/")
    expect(own.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(75 * megabyte)
  })

  test("without Prisma's CLI is within 15 MB", async () => {
    const own = layersOf(await build("slim", "--slim"), "app/")
    expect(own.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(15 * megabyte)
  })

  test("changes in its last, small layer alone with a new migration", async () => {
    const before = await build("before")
    project.write("prisma/migrations/20260103000000_note/migration.sql", 'COMMENT ON TABLE "Customer" IS NULL;\n')
    const after = await build("after")
    project.remove("prisma/migrations/20260103000000_note")
    const [old, fresh] = [before, after].map(({ layers }) => layers.map(({ digest }) => digest))
    expect(fresh?.slice(0, -1)).toEqual(old?.slice(0, -1))
    expect(fresh?.at(-1)).not.toBe(old?.at(-1))
    expect(after.layers.at(-1)?.bytes).toBeLessThan(megabyte)
  })

  test("is made for another platform without running anything of it", async () => {
    const labels = await call([...module, "image", "--platform=linux/arm64", "labels", "name"], { cwd: project.root })
    expect(labels).toContain("dev.lockstep.history.last")
  })
})

test("a password is in no output of the engine, and not in the image", async () => {
  const password = "correct-horse-battery-staple"
  const { url, name } = await createDatabase()
  const { port } = new URL(url)
  const secret = `postgresql://postgres:${password}@db.internal:${port}/${name}`
  const words = ["--database-url=env://DATABASE_URL", `--database=tcp://127.0.0.1:${port}`]
  const answers = await Promise.all(
    ["deploy", "status", "plan"].map((verb) =>
      dagger(["-vvvv", "call", ...module, verb, ...words], { cwd: project.root, env: { DATABASE_URL: secret } }),
    ),
  )
  for (const { stdout, stderr } of answers) {
    expect(stderr).toContain("postgresql://postgres@database:")
    expect(`${stdout}${stderr}`).not.toContain(password)
  }
  const path = join(folder, "secret.tar")
  await call([...module, "tarball", "export", `--path=${path}`], {
    cwd: project.root,
    env: { DATABASE_URL: secret },
  })
  expect(readFileSync(path).includes(password)).toBe(false)
  expect((await readOciImage(path)).contains(password)).toBe(false)
})
