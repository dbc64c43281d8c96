import { existsSync } from "node:fs"
import { rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import { type ClientGenerator, delegateName } from "./module.js"

const options = [
  ["--noEmit", "--strict", "--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler"],
  ["--types", "node", "--allowImportingTsExtensions", "--skipLibCheck", "--pretty", "false"],
].flat()

/** A program that uses the client and each of its models: the generated files themselves have @ts-nocheck. */
const program = (
  entry: string,
  models: readonly string[],
): string => `import { PrismaClient } from ${JSON.stringify(entry)}
declare const client: PrismaClient
export const made: typeof PrismaClient = PrismaClient
export const calls = [
${models.map((model) => `  () => client.${delegateName(model)}.findFirst(),`).join("\n")}
]
`

/**
 * Type-checks the generated client's use with the project's own TypeScript; "absent" where the project has none.
 * Errors: L1321 there are type errors.
 */
export async function typeCheck(
  root: string,
  generator: ClientGenerator,
  models: readonly string[],
): Promise<"checked" | "absent"> {
  const compiler = compilerOf(root)
  if (compiler === undefined) return "absent"
  const types = existsSync(join(root, "node_modules/@types/node")) ? options : options.filter((word) => !isNode(word))
  const file = join(root, `.lockstep-${process.pid}.ts`)
  await writeFile(file, program(generator.entry, models))
  try {
    const result = await execa(process.execPath, [compiler, ...types, file], { cwd: root, reject: false, all: true })
    if (!result.failed) return "checked"
    throw new LockstepError("L1321", "the generated client has type errors", { hint: result.all.trim() })
  } finally {
    await rm(file, { force: true })
  }
}

const isNode = (word: string): boolean => word === "--types" || word === "node"

function compilerOf(root: string): string | undefined {
  try {
    return createRequire(join(root, "package.json")).resolve("typescript/bin/tsc")
  } catch {
    return undefined
  }
}
