import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { expect, test } from "vitest"
import { repository } from "./support/cli.js"

/**
 * The rooms of src/, lowest first; a room may import those before its own line, and itself. docs/architecture.md draws
 * the same.
 */
const floors: readonly (readonly string[])[] = [
  ["errors.ts", "version.ts", "printable.ts"],
  ["postgres"],
  ["history", "sql", "test-db"],
  ["project"],
  ["scratch"],
  ["schema-engine"],
  ["deploy", "change", "image", "kubernetes", "client", "backup"],
  ["plan", "backfill"],
  ["rehearse", "fleet"],
  ["check"],
  ["init", "doctor"],
  ["cli"],
  ["report"],
  ["commands", "library", "schema-engine/json-rpc"],
  ["program.ts"],
  ["cli.ts", "schema-engine.ts", "index.ts", "config.ts"],
]

const src = join(repository, "src")
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !file.startsWith("generated"),
)

/** The longest name of a room that the file is in. */
function roomOf(file: string): string {
  const rooms = floors.flat().filter((room) => file === room || file.startsWith(`${room}/`))
  const room = rooms.sort((one, other) => other.length - one.length)[0]
  if (room === undefined) throw new Error(`src/${file} is in no room that this test knows`)
  return room
}

const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))

/** What a file imports from src/, types and imports at run time included. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(src, file), "utf8")
  return [...text.matchAll(/(?:from |import |import\()"(\.[^"]*\.js)"/g)].map(([, path = ""]) =>
    normalize(join(dirname(file), path)).replace(/\.js$/, ".ts"),
  )
}

test("every arrow between rooms points down", () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((imported) => !imported.startsWith("generated"))
      .map((imported) => [roomOf(file), roomOf(imported), `${file} imports ${imported}`] as const)
      .filter(([from, to]) => from !== to && floorOf(to) >= floorOf(from))
      .map(([, , arrow]) => arrow),
  )
  expect(upward).toEqual([])
})

test("the sources that the test reads are all of them", () => {
  expect(files.length).toBeGreaterThan(100)
  expect(files.flatMap(importsOf).length).toBeGreaterThan(files.length)
  expect(new Set(files.map(roomOf))).toEqual(new Set(floors.flat()))
})

test("no file is over 250 lines, and no folder but that of the verbs over sixteen files", () => {
  const lines = (file: string) => readFileSync(join(src, file), "utf8").split("\n").length - 1
  expect(files.filter((file) => lines(file) > 250)).toEqual([])
  const folders = files.map(dirname)
  const crowded = [...new Set(folders)].filter(
    (folder) => folder !== "commands" && folders.filter((each) => each === folder).length > 16,
  )
  expect(crowded).toEqual([])
})
