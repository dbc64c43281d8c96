import { createHash } from "node:crypto"
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs"
import { isBuiltin } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, normalize, resolve } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { readFolder } from "../../src/history/folder.js"
import { assembleImage, type ImageRequest } from "../../src/image/image.js"
import { checkPrismaLoads } from "../../src/image/omissions.js"
import { loadedPackages } from "../../src/image/packages.js"
import { loadProject } from "../../src/project/project.js"
import { objectsIn } from "../e2e/json.js"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createProject, type TestProject } from "../support/project.js"

const megabyte = 1_000_000
const folder = mkdtempSync(join(tmpdir(), "lockstep-image-test-"))
afterAll(() => rmSync(folder, { recursive: true }))

const schema = 'datasource db {\n  provider = "postgresql"\n}\n'

/** Writes an image of a project, by default the slim one, which is quick to write. */
async function imageOf(root: string, name: string, more: Partial<ImageRequest> = {}) {
  const project = await loadProject({ root }, "migrations")
  const request = {
    kind: "slim" as const,
    only: undefined,
    keep: [],
    backupTools: undefined,
    source: undefined,
    revision: undefined,
    version: undefined,
  }
  const out = join(folder, name)
  const result = await assembleImage({ project, folder: readFolder(project.migrationsDir), out, ...request, ...more })
  return { out, ...result, layer: (layer: string) => contentsOf(join(out, "layers", layer)) }
}

/** Every file of a folder, with its mode and its content or where it leads. */
function contentsOf(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .sort()
    .map((path) => {
      const { mode, mtimeMs } = lstatSync(join(root, path))
      return `${path} ${mode.toString(8)} ${mtimeMs} ${contentOf(join(root, path))}`
    })
}

function contentOf(path: string): string {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return readlinkSync(path)
  return stat.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : ""
}

const read = (path: string) => JSON.parse(readFileSync(path, "utf8"))

const shop = (): TestProject =>
  createProject({
    schema,
    migrations: { "20260101000000_init": "CREATE TABLE a (id int);\n" },
    files: {
      "package.json": `${JSON.stringify({
        name: "@acme/shop",
        version: "3.1.4",
        repository: "acme/shop",
        lockstep: { lockWait: "10m", migrations: "prisma/migrations" },
      })}\n`,
      ".env": 'DATABASE_URL="postgresql://app:s3cret@db/shop"\n',
      "prisma/migrations/20260101000000_init/notes.txt": "s3cret",
    },
  })

describe("with Prisma's CLI", async () => {
  const image = await imageOf(repository, "full", { kind: "full" })

  test("is at most 75 MB, in layers ordered from rarely to often changed, the last one small", () => {
    expect(image.bytes).toBeLessThan(75 * megabyte)
    expect(image.layers.map(({ name }) => name)).toEqual(["10-runner", "20-prisma", "30-project", "40-migrations"])
    expect(image.layers.at(-1)?.bytes).toBeLessThan(megabyte)
  })

  test("contains only folders, files, and links to commands in the same layer", () => {
    for (const layer of image.layers.map(({ name }) => join(image.out, "layers", name))) {
      for (const path of readdirSync(layer, { recursive: true, encoding: "utf8" })) {
        const stat = lstatSync(join(layer, path))
        if (!stat.isSymbolicLink()) {
          expect(stat.isDirectory() || stat.isFile()).toBe(true)
          continue
        }
        const target = resolve(layer, dirname(path), readlinkSync(join(layer, path)))
        expect(statSync(target).mode & 0o111, `${path} leads to a command`).toBe(0o111)
        expect(target.startsWith(layer)).toBe(true)
      }
    }
  })

  test("its bill of materials lists every package in it, and those inside of the runner's bundle", () => {
    const sbom = read(join(image.out, "sbom.cdx.json"))
    const listed = new Set(sbom.components.map((one: { purl: string }) => one.purl))
    for (const layer of ["10-runner", "20-prisma"]) {
      const root = join(image.out, "layers", layer, "app/node_modules")
      const manifests = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
        /(^|node_modules\/)(@[^/]+\/)?[^@/]+\/package\.json$/.test(path),
      )
      expect(manifests.length).toBeGreaterThan(1)
      for (const path of manifests) {
        const { name, version } = read(join(root, path))
        expect(listed).toContain(`pkg:npm/${name.replace("@", "%40")}@${version}`)
      }
    }
    for (const name of ["pg", "zod", "commander"])
      expect(sbom.components).toContainEqual(
        expect.objectContaining({ name, properties: [{ name: "dev.lockstep.bundled", value: "true" }] }),
      )
    const references = new Set([...listed, sbom.metadata.component["bom-ref"]])
    for (const { ref, dependsOn } of sbom.dependencies)
      for (const one of [ref, ...dependsOn]) expect(references).toContain(one)
    expect(sbom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 })
    expect(sbom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test("docs/image.md builds it according to config.json and env.json", () => {
    const recipe = /```dockerfile\n(.*?)```/s.exec(readFileSync(join(repository, "docs/image.md"), "utf8"))?.[1] ?? ""
    const config = read(join(image.out, "config.json"))
    const variables = Object.entries(read(join(image.out, "env.json"))).map(([name, value]) => `${name}=${value}`)
    const words = recipe
      .slice(recipe.indexOf("ENV "), recipe.indexOf("WORKDIR"))
      .split(/[\s\\]+/)
      .filter(Boolean)
    expect(words.slice(1).sort()).toEqual(variables.sort())
    const copied = [...recipe.matchAll(/COPY build\/image\/layers\/(\S+) \/$/gm)].map(([, layer]) => layer)
    expect(copied).toEqual(config.layers)
    expect(recipe).toContain(`WORKDIR ${config.workdir}\nUSER ${config.user}\nENTRYPOINT []\n`)
    expect(recipe).toContain(`CMD ${JSON.stringify(config.cmd).replaceAll(",", ", ")}\n`)
  })

  test("a package that Prisma loads and that is missing in the image is named before the image is written", async () => {
    const layer = join(image.out, "layers/20-prisma")
    rmSync(join(layer, "app/node_modules/deepmerge-ts"), { recursive: true })
    await expect(checkPrismaLoads(layer, { script: "build/index.js", version: "7.10.1" })).rejects.toMatchObject({
      code: "L1603",
      details: { next: "`lockstep image --keep deepmerge-ts`" },
    })
  })
})

test("what the history changes can be written alone: the last layer, and every document", async () => {
  const { root } = shop()
  const whole = await imageOf(root, "whole")
  const top = await imageOf(root, "top", { only: "history" })
  expect(readdirSync(join(top.out, "layers"))).toEqual(["40-migrations"])
  expect(top.layer("40-migrations")).toEqual(whole.layer("40-migrations"))
  const documents = (out: string) => contentsOf(out).filter((line) => !line.startsWith("layers"))
  expect(documents(top.out)).toEqual(documents(whole.out))
  expect(documents(top.out)).toHaveLength(4)
})

test("slim is at most 15 MB and without Prisma", async () => {
  const image = await imageOf(repository, "slim")
  expect(image.bytes).toBeLessThan(15 * megabyte)
  expect(image.layers.map(({ name }) => name)).toEqual(["10-runner", "30-project", "40-migrations"])
  expect(image.layer("30-project").some((line) => line.includes("prisma.config"))).toBe(false)
})

test("two images of one project are the same to the byte, modes and times included", async () => {
  const { root } = shop()
  const [one, two] = [await imageOf(root, "one"), await imageOf(root, "two")]
  expect(contentsOf(two.out)).toEqual(contentsOf(one.out))
  await imageOf(root, "two")
  expect(contentsOf(two.out)).toEqual(contentsOf(one.out))
})

test("a new migration changes the last layer alone", async () => {
  const project = shop()
  const before = await imageOf(project.root, "before")
  project.migration("20260102000000_next", "CREATE TABLE b (id int);\n")
  const after = await imageOf(project.root, "after")
  for (const layer of ["10-runner", "30-project"]) expect(after.layer(layer)).toEqual(before.layer(layer))
  expect(after.layer("40-migrations")).not.toEqual(before.layer("40-migrations"))
})

test("only the schema, the migrations, the backfills and the settings of a project are in it", async () => {
  const project = shop()
  project.write("prisma/backfills/20260201000000_names.sql", "DELETE FROM account")
  project.write("prisma/backfills/README.md", "what they are for")
  const image = await imageOf(project.root, "contents")
  const files = (layer: string) =>
    readdirSync(join(image.out, "layers", layer), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => normalize(join(entry.parentPath, entry.name)).split(`${layer}/`)[1])
      .sort()
  expect(files("30-project")).toEqual(["app/package.json", "app/prisma/schema.prisma"])
  expect(files("40-migrations")).toEqual([
    "app/prisma/backfills/20260201000000_names.sql",
    "app/prisma/migrations/20260101000000_init/migration.sql",
    "app/prisma/migrations/migration_lock.toml",
  ])
  expect(read(join(image.out, "layers/30-project/app/package.json"))).toEqual({
    name: "shop-migrations",
    version: "3.1.4",
    private: true,
    type: "module",
    lockstep: { lockWait: "10m" },
  })
  expect(read(join(image.out, "env.json")).LOCKSTEP_MIGRATIONS).toBe("/app/prisma/migrations")
})

test("a new project's image, without migrations yet, accepts that there are none", async () => {
  const { root } = createProject({ schema })
  expect(read(join((await imageOf(root, "new")).out, "env.json")).LOCKSTEP_ALLOW_EMPTY).toBe("true")
  const image = await imageOf(shop().root, "not-new")
  expect(read(join(image.out, "env.json")).LOCKSTEP_ALLOW_EMPTY).toBeUndefined()
})

test("a project whose schema has models gets no image without migrations", async () => {
  const { root } = createProject({ schema: `${schema}\nmodel A {\n  id Int @id\n}\n` })
  const { stderr, exitCode } = await lockstep(["image", "--slim", "--out", "image"], { cwd: root })
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1106]") })
})

test("a schema in several files and migrations elsewhere keep their places", async () => {
  const project = createProject({
    files: {
      "db/schema/main.prisma": schema,
      "db/schema/models/a.prisma": "model A {\n  id Int @id\n}\n",
      "db/schema/README.md": "",
      "db/history/20260101000000_init/migration.sql": "SELECT 1;\n",
      "prisma.config.mjs": 'export default { schema: "db/schema", migrations: { path: "db/history" } }\n',
    },
  })
  const image = await imageOf(project.root, "elsewhere")
  expect(image.layer("30-project").filter((line) => line.includes(".prisma"))).toHaveLength(2)
  expect(image.layer("40-migrations").join("\n")).toContain("app/db/history/20260101000000_init/migration.sql")
  expect(read(join(image.out, "env.json")).LOCKSTEP_MIGRATIONS).toBe("/app/db/history")
})

test("the labels have the source and the history; options override them", async () => {
  const { root } = shop()
  const image = await imageOf(root, "labels", { revision: "f00", version: "4.0.0" })
  expect(image.labels).toEqual({
    "dev.lockstep.history.count": "1",
    "dev.lockstep.history.digest": expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    "dev.lockstep.history.last": "20260101000000_init",
    "dev.lockstep.version": expect.stringMatching(/^\d+\.\d+\.\d+/),
    "org.opencontainers.image.revision": "f00",
    "org.opencontainers.image.source": "https://github.com/acme/shop",
    "org.opencontainers.image.title": "shop-migrations",
    "org.opencontainers.image.version": "4.0.0",
  })
  expect(read(join(image.out, "labels.json"))).toEqual(image.labels)
})

test("a folder that holds something else is not touched", async () => {
  const project = shop()
  project.write("public/index.html", "<p>")
  const result = await lockstep(["image", "--slim", "--out", "public"], { cwd: project.root })
  expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("error[L1601]") })
  expect(readdirSync(join(project.root, "public"))).toEqual(["index.html"])
})

test("--out is required, and --json lists what was written", async () => {
  const project = shop()
  const without = await lockstep(["image"], { cwd: project.root })
  expect(without).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("lockstep image --out DIR") })
  const result = await lockstep(["image", "--slim", "--json", "--out", "build/image"], { cwd: project.root })
  expect(objectsIn(result.stdout)).toMatchObject([
    {
      schema: "lockstep.image/1",
      out: join(project.root, "build/image"),
      layers: [{ name: "10-runner" }, { name: "30-project" }, { name: "40-migrations" }],
    },
  ])
})

test("the runner's dependencies are what dist/ loads, and the image knows each of them", () => {
  const dist = join(repository, "dist")
  const loaded = new Set<string>()
  for (const entry of readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"))) {
    const text = readFileSync(join(dist, entry), "utf8")
    const names =
      /(?<!Buffer\.)\b(?:from|import|require\$?\d*|resolve)\(?["`]((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:\/[^"`]*)?["`]/g
    for (const [, name] of text.matchAll(names)) if (name && !isBuiltin(name)) loaded.add(name)
  }
  const { name, dependencies, peerDependencies } = read(join(repository, "package.json"))
  // What a project has of its own, or does without.
  for (const own of [name, ...Object.keys(peerDependencies), "@prisma/client", "typescript"]) loaded.delete(own)
  // In pg, in a try block: the native driver, which only some projects install.
  loaded.delete("pg-native")
  expect([...loaded].sort()).toEqual(Object.keys(dependencies).sort())
  expect(loadedPackages.map((one) => one.name).sort()).toEqual(Object.keys(dependencies).sort())
  const bundled: readonly { name: string }[] = read(join(dist, "bundled.json"))
  expect(bundled.filter((one) => loaded.has(one.name))).toEqual([])
})
