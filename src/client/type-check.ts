import { existsSync } from "node:fs"
import { rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import type { ClientGenerator } from "./generators.js"

const options = [
  ["--noEmit", "--strict", "--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler"],
  ["--types", "node", "--allowImportingTsExtensions", "--skipLibCheck", "--pretty", "false"],
].flat()

/**
 * Type-checks the generated client with the project's own TypeScript; "absent" where the project has none.
 * Errors: L1321 the types do not hold.
 */
export async function typeCheck(root: string, generator: ClientGenerator): Promise<"checked" | "absent"> {
  const compiler = compilerOf(root)
  if (compiler === undefined) return "absent"
  const types = existsSync(join(root, "node_modules/@types/node")) ? options : options.filter((word) => !isNode(word))
  const file = join(root, `.lockstep-${process.pid}.ts`)
  await writeFile(
    file,
    `import { PrismaClient } from ${JSON.stringify(generator.entry)}\nexport const made: typeof PrismaClient = PrismaClient\n`,
  )
  try {
    const result = await execa(process.execPath, [compiler, ...types, file], { cwd: root, reject: false, all: true })
    if (!result.failed) return "checked"
    throw new LockstepError("L1321", "the generated client's types do not hold", { hint: result.all.trim() })
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
