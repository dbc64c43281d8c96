import { expect, test } from "vitest"
import { groupFailures, someOf } from "../../src/fleet/outcome.js"

const group = (failures: readonly [string, { code: string; message: string; line?: number }][]) =>
  groupFailures(
    failures.map(([target, error]) => ({ target, error })),
    (error) => error,
    (target) => [target, "db:5432"],
  ).map(({ targets }) => targets)

test("failures for the same reason are one, whatever their own names and numbers", () => {
  const absent = (name: string) => ({
    code: "L1215",
    message: `the database "${name}" of db:5432 does not exist (pid ${name.length})`,
  })
  const other = { code: "L1012", message: 'relation "x" does not exist', line: 3 }
  expect(
    group([
      ["tenant_1", other],
      ["tenant_2", absent("tenant_2")],
      ["tenant_10", absent("tenant_10")],
      ["tenant_3", { ...other, line: 4 }],
    ]),
  ).toEqual([["tenant_2", "tenant_10"], ["tenant_1"], ["tenant_3"]])
})

test("a name is neither a part of another word nor an ordinary word", () => {
  const pooler = (schema: string) => ({
    code: "L1021",
    message: `the schema "${schema}" is behind a transaction pooler`,
  })
  expect(
    group([
      ["a", pooler("a")],
      ["b", pooler("b")],
      ["pool", pooler("pool")],
    ]),
  ).toEqual([["a", "b", "pool"]])
})

test("many names are three and a number", () => {
  expect(someOf(["a", "b"])).toBe("a, b")
  expect(someOf(Array.from({ length: 1203 }, (_, index) => `t${index}`))).toBe("t0, t1, t2 and 1,200 more")
})
