import ts from "typescript"
import { expect, test } from "vitest"
import { decorators, functionsOf, moduleClass, moduleProgram } from "./source.js"

const program = moduleProgram()
const module = moduleClass(program)
const functions = functionsOf(module)
const made = module.members.find(ts.isConstructorDeclaration)

/** Types that the engine can carry: its own, and lists of them. Anything else is refused when the module is loaded. */
const carried =
  /^(string|boolean|number|void|Directory|File|Container|Service|Secret|Changeset|Platform|Install)(\[\])?$|^Promise<(.*)>$/

function isCarried(type: string): boolean {
  const [, , , inner] = carried.exec(type) ?? []
  return carried.test(type) && (inner === undefined || isCarried(inner))
}

const parameters = [made, ...functions].flatMap((one) => [...(one?.parameters ?? [])])

test("the module type-checks against the SDK", () => {
  const problems = ts.getPreEmitDiagnostics(program)
  expect(problems.map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"))).toEqual([])
})

test("the functions are those that the documentation promises", () => {
  expect(functions.map((method) => method.name.getText()).sort()).toEqual(
    [
      [
        "backfill",
        "client",
        "committedClient",
        "deploy",
        "fleetBackfill",
        "fleetDeploy",
        "fleetStatus",
        "generate",
        "history",
        "image",
        "kubernetes",
        "migrate",
        "plan",
        "postgres",
        "publish",
        "push",
        "replay",
      ],
      ["report", "resolve", "sbom", "schemaUncommitted", "status", "tarball", "testDb", "undo", "verify"],
    ].flat(),
  )
})

test("the checks and generators are marked as such", () => {
  const marked = (name: string) =>
    functions.filter((one) => decorators(one).includes(name)).map((one) => one.name.getText())
  expect(marked("check").sort()).toEqual(["client", "history", "image", "replay", "schemaUncommitted"])
  expect(marked("generate")).toEqual(["committedClient"])
})

test("what touches a real database is never taken from the cache", () => {
  const onDatabase = functions.filter(({ parameters }) =>
    parameters.some(({ name }) => ["databaseUrl", "targets"].includes(name.getText())),
  )
  expect(onDatabase.map((one) => one.name.getText()).sort()).toEqual([
    "backfill",
    "deploy",
    "fleetBackfill",
    "fleetDeploy",
    "fleetStatus",
    "plan",
    "push",
    "report",
    "resolve",
    "status",
  ])
  for (const method of onDatabase) expect(method.getText()).toContain('@func({ cache: "never" })')
})

test("every parameter, result and property has a type that the engine can carry", () => {
  const types = [
    ...parameters.map(({ type }) => type),
    ...functions.map(({ type }) => type),
    ...module.members.filter(ts.isPropertyDeclaration).map(({ type }) => type),
  ].map((type) => type?.getText() ?? "(none)")
  expect(types.filter((type) => !isCarried(type))).toEqual([])
})

test("a parameter that may be missing is written with a question mark or a literal default", () => {
  // The introspector evaluates a default by itself: it knows no casts, calls or names.
  const literal = /^("[^"]*"|true|false|\d+|\[\]|\[("[^"]*"(, )?)+\]|Install\.\w+)$/
  for (const { name, type, questionToken, initializer } of parameters) {
    expect(`${name.getText()}: ${type?.getText()}`).not.toMatch(/undefined|null|\|/)
    if (initializer) expect(initializer.getText()).toMatch(literal)
    if (initializer) expect(questionToken).toBeUndefined()
  }
})

test("the class uses nothing that the introspector cannot see", () => {
  expect(module.heritageClauses).toBeUndefined()
  for (const member of module.members) {
    expect(ts.isGetAccessor(member) || ts.isSetAccessor(member)).toBe(false)
    if (member.name) expect(ts.isPrivateIdentifier(member.name)).toBe(false)
  }
  // Parameter properties are not part of the state that the engine keeps between calls.
  for (const parameter of made?.parameters ?? []) {
    expect(ts.isParameterPropertyDeclaration(parameter, parameter.parent)).toBe(false)
  }
})

test("every function and parameter is described", () => {
  for (const method of functions) {
    const [doc] = ts.getJSDocCommentsAndTags(method).filter(ts.isJSDoc)
    expect(ts.getTextOfJSDocComment(doc?.comment), method.name.getText()).toMatch(/^\S.{20,}/)
  }
  for (const parameter of parameters) {
    const [tag] = ts.getJSDocParameterTags(parameter)
    expect(ts.getTextOfJSDocComment(tag?.comment), parameter.getText()).toMatch(/^\S.{5,}/)
  }
})

test("a function is a few lines", () => {
  for (const method of functions) {
    expect(method.body?.statements.length, method.name.getText()).toBeLessThanOrEqual(9)
  }
})

test("no image and no secret's name is written into a function", () => {
  for (const source of program.getSourceFiles().filter(({ fileName }) => fileName.includes("/dagger/src/"))) {
    const from = [...source.getText().matchAll(/\.from\(([^)]*)\)/g)].map(([, image]) => image)
    for (const image of from) expect(["nodeImage", "postgresImage", "settings.postgresImage"]).toContain(image)
  }
})
