import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { expect, test } from "vitest"
import { earlierSchema } from "../../src/change/earlier-schema.js"
import { createPlace, type Place } from "../schema-engine/setting.js"

const [init, name] = ["20260101000000_init", "20260102000000_name"]
const sql = {
  [init]: `CREATE TABLE "User" ("id" INTEGER NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));`,
  [name]: `ALTER TABLE "User" ADD COLUMN "name" TEXT;`,
}
const head = 'datasource db {\n  provider = "postgresql"\n}\n\n'
const before = `${head}// people\nmodel User {\n  id   Int     @id // laid out by hand\n}\n`
const after = before.replace("hand\n}", "hand\n  name String? // what they are called\n}")

async function openPlace(): Promise<{ place: Place; path: string; search: () => ReturnType<typeof earlierSchema> }> {
  const place = await createPlace({ [init]: sql[init] ?? "" })
  const path = join(place.project.root, "prisma/schema.prisma")
  const search = () =>
    earlierSchema({ ...place.setting, folder: place.folder(), undoes: [name ?? ""], schemaPath: path })
  return { place, path, search }
}

function git({ project }: Place, ...args: readonly string[]): void {
  const author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
  execFileSync("git", [...author, ...args], { cwd: project.root, stdio: "ignore" })
}

function commit(place: Place, schema: string): void {
  place.project.write("prisma/schema.prisma", schema)
  git(place, "add", "-A")
  git(place, "commit", "--quiet", "--message", "change")
}

test("the commit's change is taken back, with its comments and layout as they were, and the commit is named", async () => {
  const { place, path, search } = await openPlace()
  git(place, "init", "--quiet")
  commit(place, before)
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  commit(place, after)
  expect(await search()).toEqual({
    ...{ state: "found", from: "git", files: [{ path, content: before }] },
    commit: expect.stringMatching(/^[0-9a-f]+\^$/),
  })
  place.project.write("prisma/schema.prisma", before)
  expect(await search()).toEqual({ state: "as before" })
})

test("what was edited after the commit stays", async () => {
  const { place, path, search } = await openPlace()
  git(place, "init", "--quiet")
  commit(place, before)
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  commit(place, after)
  const edited = (schema: string) => schema.replace("// people", "/// People who buy.\n// Never delete one.")
  commit(place, edited(after))
  expect(await search()).toEqual({ state: "found", from: "git", files: [{ path, content: edited(before) }] })
})

test("what is not committed goes back to the last commit", async () => {
  const { place, path, search } = await openPlace()
  git(place, "init", "--quiet")
  commit(place, before)
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  place.project.write("prisma/schema.prisma", after)
  expect(await search()).toEqual({
    ...{ state: "found", from: "git", files: [{ path, content: before }] },
    commit: "HEAD",
  })
})

test("without a repository the engine merges the earlier database into the schema", async () => {
  const { place, path, search } = await openPlace()
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  const documented = after.replace("// people", "/// People who buy.")
  place.project.write("prisma/schema.prisma", documented)
  const found = await search()
  expect(found).toMatchObject({ state: "found", from: "engine", files: [{ path }] })
  const [file] = found.state === "found" ? found.files : []
  expect(file?.content).toContain("/// People who buy.\nmodel User {")
  expect(file?.content).not.toContain("name")
})

test("in a schema of Prisma 5 or 6 the datasource keeps its URL", async () => {
  const { place, search } = await openPlace()
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  const datasource = 'datasource db {\n  provider = "postgresql"\n  url      = env("SHOP_URL") // the shop\'s\n}\n'
  place.project.write("prisma/schema.prisma", after.replace(head, datasource))
  const found = await search()
  const [file] = found.state === "found" ? found.files : []
  expect(file?.content).toContain(datasource)
  expect(file?.content).not.toContain("name")
})

test.each([
  ["5 or 6, which leaves it out", '  url = env("SHOP_URL")\n', "", ""],
  ["7, which has a preview feature for it", "", ', where: raw("(id > 0)")', '"partialIndexes"'],
])("a partial index is in the schema as in one of Prisma %s", async (_, url, where, feature) => {
  const { place, search } = await openPlace()
  place.project.migration("20260101000001_index", 'CREATE INDEX "User_id_idx" ON "User" ("id") WHERE "id" > 0;')
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  const generator =
    'generator client {\n  provider        = "prisma-client-js"\n  previewFeatures = ["relationJoins"]\n}\n\n'
  const datasource = `datasource db {\n  provider = "postgresql"\n${url}}\n\n`
  place.project.write(
    "prisma/schema.prisma",
    `${generator}${after.replace(head, datasource).replace(/\}\n$/, "\n  @@index([id])\n}\n")}`,
  )
  const found = await search()
  const [file] = found.state === "found" ? found.files : []
  expect(file?.content).toContain(`@@index([id]${where})`)
  expect(file?.content).toContain(datasource)
  expect(/previewFeatures = \[(?:"relationJoins")?(?:, )?(.*)\]/.exec(file?.content ?? "")?.[1]).toBe(feature)
})

test("a schema with changes of its own is not taken for the earlier one", async () => {
  const { place, search } = await openPlace()
  git(place, "init", "--quiet")
  commit(place, before)
  place.project.migration(name ?? "", sql[name ?? ""] ?? "")
  commit(place, after)
  place.project.write("prisma/schema.prisma", `${after}\nmodel Unfinished {\n  id Strin @id\n}\n`)
  expect(await search()).toEqual({ state: "not found" })
})
