import { expect, test } from "vitest"
import { layOut, type Placeable } from "../../src/image/node-modules.js"

/** "a@1: b@2 c@1" is a package and what it needs. */
function pathsOf(roots: readonly string[], ...lines: readonly string[]): readonly string[] {
  const needs = new Map(lines.map((line) => line.split(":").map((part) => part.trim()) as [string, string]))
  const read = (id: string): Placeable => {
    const [name = "", version = ""] = id.split(/(?<=.)@/)
    const ids = needs.get(id)?.split(" ") ?? []
    return { name, version, dependencies: ids.map((one) => one.split(/(?<=.)@/)[0] ?? "") }
  }
  const find = (name: string, { name: of, version }: Placeable) =>
    needs
      .get(`${of}@${version}`)
      ?.split(" ")
      .filter((id) => id.startsWith(`${name}@`))
      .map(read)[0]
  return layOut(roots.map(read), find).map(({ path, package: found }) => `${path} ${found.version}`)
}

test("one version of everything lies flat", () => {
  expect(pathsOf(["a@1"], "a@1: b@1 @s/c@1", "b@1: @s/c@1")).toEqual([
    "node_modules/a 1",
    "node_modules/b 1",
    "node_modules/@s/c 1",
  ])
})

test("another version lies below the package that needs it", () => {
  expect(pathsOf(["a@1"], "a@1: b@1 c@1", "b@1: c@2", "c@2: d@1")).toEqual([
    "node_modules/a 1",
    "node_modules/b 1",
    "node_modules/c 1",
    "node_modules/b/node_modules/c 2",
    "node_modules/d 1",
  ])
})

test("a package below another finds what lies beside it", () => {
  expect(pathsOf(["a@1", "d@2"], "a@1: b@1 c@1", "b@1: c@2 d@1", "c@2: d@1", "d@1: b@1")).toEqual([
    "node_modules/a 1",
    "node_modules/d 2",
    "node_modules/b 1",
    "node_modules/c 1",
    "node_modules/b/node_modules/c 2",
    "node_modules/b/node_modules/d 1",
  ])
})

test("packages that need each other are placed once", () => {
  expect(pathsOf(["a@1"], "a@1: b@1", "b@1: a@1")).toEqual(["node_modules/a 1", "node_modules/b 1"])
})
