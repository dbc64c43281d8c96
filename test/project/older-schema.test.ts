import { describe, expect, test } from "vitest"
import { connectionIn, setAsideOlder } from "../../src/project/older-schema.js"

const accepted = (content: string) => {
  const { files, setAside } = setAsideOlder([{ path: "schema.prisma", content }])
  return { content: files[0]?.content, setAside }
}

const datasource = (...lines: readonly string[]): string =>
  ["datasource db {", '  provider = "postgresql"', ...lines, "}", ""].join("\n")

const generator = (features: string): string => `generator client {\n  previewFeatures = ${features}\n}\n`

/** As many blanks as the text has characters. */
const gone = (text: string): string => " ".repeat(text.length)

describe("the datasource's URLs are set aside", () => {
  test.each([
    ['url = env("DATABASE_URL")', 'url = env("DATABASE_URL")'],
    ['directUrl         = env( "DIRECT_URL" )', 'directUrl = env( "DIRECT_URL" )'],
    ['shadowDatabaseUrl = "postgresql://app:secret@db/shadow"', "shadowDatabaseUrl = (not shown)"],
    ['url="postgresql://app:se//cret@db/shop"', "url = (not shown)"],
  ])("%s", (line, text) => {
    expect(accepted(datasource(`  ${line}`))).toMatchObject({
      content: datasource(`  ${gone(line)}`),
      setAside: [{ path: "schema.prisma", line: 3, text }],
    })
  })

  test("with what stands around them kept", () => {
    const before = datasource(
      '  url = env("A") // pooled',
      '  relationMode = "prisma"',
      '  schemas = [\n    "a",\n  ]',
      "  extensions = [citext]",
    )
    expect(accepted(before).content).toBe(before.replace('url = env("A")', gone('url = env("A")')))
  })

  test("and the ends of lines of Windows, too", () => {
    const before = datasource('  url = env("A")').replaceAll("\n", "\r\n")
    expect(accepted(before).content).toBe(before.replace('url = env("A")', gone('url = env("A")')))
  })
})

describe("preview features that are gone are taken from their list", () => {
  test.each([
    ['["metrics"]', `[${gone('"metrics"')}]`],
    ['["metrics", "views"]', `[${gone('"metrics",')} "views"]`],
    ['["views", "metrics"]', `["views"${gone(', "metrics"')}]`],
    ['["views", "metrics", "esm"]', `["views"${gone(', "metrics", "esm"')}]`],
    ['["metrics", "views", "Metrics"]', `[${gone('"metrics",')} "views"${gone(', "Metrics"')}]`],
    ['["views", "metrics",]', `["views"${gone(', "metrics"')},]`],
    ['["metrics", "esm"]', `[${gone('"metrics",')} ${gone('"esm"')}]`],
    [
      '[\n    "views", // not "metrics", yet\n    "metrics"\n  ]',
      `[\n    "views"${gone(', // not "metrics"')}${gone(", yet")}\n    ${gone('"metrics"')}\n  ]`,
    ],
  ])("%s", (before, after) => {
    expect(accepted(generator(before)).content).toBe(generator(after))
  })

  test("and named with their line", () => {
    expect(accepted(generator('["views", "metrics"]')).setAside).toEqual([
      { path: "schema.prisma", line: 2, what: { previewFeature: "metrics" }, text: '"metrics"' },
    ])
  })
})

describe("nothing is taken from", () => {
  test.each([
    ["a schema of Prisma 7", datasource('  relationMode = "prisma"') + generator('["views", "relationJoins"]')],
    [
      "features that became standard: the engine accepts them",
      generator('["prismaSchemaFolder", "omitApi", "tracing"]'),
    ],
    ["a feature that no version had: the engine names it", generator('["teleportation"]')],
    ["a model's fields", 'model Page {\n  url String\n  directUrl String @default("}")\n}\n'],
    ["comments", '// datasource db {\n//   url = env("A")\n// }\n/*\ndatasource db {\n  url = 1\n}\n*/\n'],
    [
      "a generator's own keys",
      'generator zod {\n  provider = "zod-prisma-types"\n  url = "https://example.org"\n  binaryTargets = ["native"]\n}\n',
    ],
  ])("%s", (_, content) => {
    expect(accepted(content)).toEqual({ content, setAside: [] })
  })
})

test("the lines and columns of a schema of several files stay", () => {
  const files = [
    { path: "a.prisma", content: "model A {\n  id Int @id\n}\n" },
    { path: "b.prisma", content: datasource('  url = env("A")') },
  ]
  const { files: after, setAside } = setAsideOlder(files)
  expect(after.map(({ content }) => content.length)).toEqual(files.map(({ content }) => content.length))
  expect(setAside).toMatchObject([{ path: "b.prisma", line: 3 }])
})

test("the URLs are known by their variables, or as they are written", () => {
  const content = datasource('  url = env("POOLED") // "x"', '  directUrl = "postgresql://db/shop?a=//b"')
  expect(connectionIn([{ path: "schema.prisma", content }])).toEqual({
    url: { path: "schema.prisma", line: 3, from: "variable", name: "POOLED" },
    directUrl: { path: "schema.prisma", line: 4, from: "text", url: "postgresql://db/shop?a=//b" },
  })
})
