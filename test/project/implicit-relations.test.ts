import { expect, test } from "vitest"
import { implicitRelations } from "../../src/project/implicit-relations.js"

const ends = (content: string) =>
  implicitRelations([{ path: "schema.prisma", content }]).map(({ line, model, field }) => `${line} ${model}.${field}`)

test.each([
  ["two lists", "model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  as A[]\n}\n", ["3 A.bs", "7 B.as"]],
  [
    "two lists of one name",
    'model A {\n  bs B[] @relation("x")\n  cs B[] @relation(name: "y")\n}\nmodel B {\n  a A @relation("x", fields: [i], references: [i])\n  as A[] @relation(name: "y")\n}\n',
    ["3 A.cs", "7 B.as"],
  ],
  ["a model's own", 'model A {\n  one A[] @relation("x")\n  two A[] @relation("x")\n}\n', ["2 A.one", "3 A.two"]],
  [
    "a list and a single field",
    "model A {\n  bs B[]\n}\nmodel B {\n  a A @relation(fields: [i], references: [i])\n}\n",
    [],
  ],
  ["a model between", "model A {\n  cs C[]\n}\nmodel B {\n  cs C[]\n}\nmodel C {\n  a A\n  b B\n}\n", []],
  ["lists of values", "enum B {\n  as\n}\nmodel A {\n  bs B[]\n  texts String[]\n}\n", []],
  ["a comment", "model A {\n  bs B[]\n}\nmodel B {\n  // as A[]\n}\n", []],
])("%s", (_, content, expected) => {
  expect(ends(content)).toEqual(expected)
})
