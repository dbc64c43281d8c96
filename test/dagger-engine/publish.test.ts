import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as z from "zod/mini"
import { dagger } from "./dagger.js"
import { imageRegistry, type Pushed } from "./image-registry.js"
import { createOtherProject, type OtherProject } from "./other-project.js"
import { engineReaches } from "./reach.js"

const password = "staple-battery-horse-correct"
const pushed: Pushed = new Map()
const registry = imageRegistry("robot", password, pushed)
let project: OtherProject

beforeAll(async () => {
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve))
  project = await createOtherProject()
})

afterAll(() => {
  registry.close()
  project.drop()
})

const manifest = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
})
const index = z.object({
  manifests: z.array(
    z.object({ digest: z.string(), platform: z.object({ os: z.string(), architecture: z.string() }) }),
  ),
})

const read = (reference: string): unknown => JSON.parse(String(pushed.get(reference)))

test("one image for amd64 and arm64 is published at every address, and the password is in no output", async (context) => {
  const address = registry.address() as AddressInfo
  const host = `127.0.0.1:${address.port}`
  if (!(await engineReaches(`http://${host}/v2/`))) return context.skip()
  const words = ["--address", `${host}/shop-migrations:1.2.3`, "--address", `${host}/shop-migrations:latest`]
  const login = ["--username=robot", "--password=env://PASSWORD"]
  const module = ["-m", "./toolchains/lockstep", "--source=."]
  const { exitCode, stdout, stderr } = await dagger(["-vvvv", "call", ...module, "publish", ...words, ...login], {
    cwd: project.root,
    env: { PASSWORD: password },
  })
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  expect(`${stdout}${stderr}`).not.toContain(password)

  const { manifests } = z.parse(index, read("1.2.3"))
  expect(read("latest")).toEqual(read("1.2.3"))
  expect(manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`).sort()).toEqual([
    "linux/amd64",
    "linux/arm64",
  ])
  for (const tag of ["1.2.3", "latest"]) expect(stdout).toContain(`${host}/shop-migrations:${tag}@sha256:`)
  // What the module adds is the same for every platform.
  const [amd, arm] = manifests.map(({ digest }) => z.parse(manifest, read(digest)).layers.map((layer) => layer.digest))
  expect(amd?.slice(-4)).toEqual(arm?.slice(-4))
})
