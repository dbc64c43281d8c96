import { expect, test } from "vitest"
import { clientGenerators } from "../../src/client/module.js"

const schema = (generator: string) => ({
  path: "/shop/prisma/schema.prisma",
  content: `${generator}\nmodel User {\n  id Int @id\n}\n\nmodel   Order{ id Int @id }\n// model Not {\n`,
})

test("the new generator's client is a TypeScript file below its output", () => {
  const generator = 'generator client {\n  provider = "prisma-client"\n  output   = "../src/generated/prisma"\n}\n'
  expect(clientGenerators([schema(generator)])).toEqual([
    { name: "client", provider: "prisma-client", entry: "/shop/src/generated/prisma/client.ts", engineType: undefined },
  ])
})

test("its files may have another extension", () => {
  const generator =
    'generator client {\n  provider = "prisma-client"\n  output = "./out"\n  generatedFileExtension = "mts"\n}'
  expect(clientGenerators([schema(generator)])).toMatchObject([{ entry: "/shop/prisma/out/client.mts" }])
})

test("the older generator's client is the package, or a folder's index", () => {
  const inPackage = 'generator js {\n  provider = "prisma-client-js"\n}'
  const inFolder = 'generator js {\n  provider = "prisma-client-js"\n  output = "../client"\n}'
  expect(clientGenerators([schema(inPackage)])).toMatchObject([{ entry: "@prisma/client" }])
  expect(clientGenerators([schema(inFolder)])).toMatchObject([{ entry: "/shop/client/index.js" }])
})

test("other generators generate no client", () => {
  expect(clientGenerators([schema('generator erd {\n  provider = "prisma-erd-generator"\n}')])).toEqual([])
})
