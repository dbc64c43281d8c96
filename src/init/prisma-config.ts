import { create, nothing, type Proposal, rewrite, type Setting } from "./change.js"
import { inFolder, packageKind } from "./listing.js"

/** The door of this package that a prisma.config imports. */
const door = "prisma-lockstep/config"

/**
 * prisma.config: `lockstep(…)` around its settings, so that Prisma's own commands run on Lockstep's schema engine. A project
 * on Prisma 7 that has no configuration gets one; an older Prisma needs none. A file of another form is left as it is.
 */
export function proposePrismaConfig(setting: Setting): Proposal {
  const { found, files } = setting
  if (found.config === undefined) return isOnPrisma7(found.prisma) ? newConfig(setting) : nothing()
  const text = files.text(found.config) ?? ""
  if (/prisma-lockstep\/config|PRISMA_SCHEMA_ENGINE_BINARY|src\/config\.js/.test(text)) return nothing()
  const wrapped = canAwait(setting, found.config) ? wrap(text) : undefined
  if (wrapped !== undefined) return rewrite(files, found.config, wrapped)
  return nothing(
    `${found.config} is left as it is; with \`await lockstep({ … })\` of ${door} around its settings, Prisma's own commands run on Lockstep's engine`,
  )
}

const isOnPrisma7 = (version: string | undefined): boolean => /^\D*7(\D|$)/.test(version ?? "")

function newConfig({ found, files }: Setting): Proposal {
  const relative = (path: string) => (found.at === "" ? path : path.slice(found.at.length + 1))
  const schema = JSON.stringify(relative(found.schema?.path ?? inFolder(found.at, "prisma/schema.prisma")))
  const migrations = JSON.stringify(relative(found.migrations.path))
  const text = `import { lockstep } from "${door}"
import { defineConfig } from "prisma/config"

export default defineConfig(
  await lockstep({
    schema: ${schema},
    migrations: { path: ${migrations} },
  }),
)
`
  return create(files, inFolder(found.at, "prisma.config.ts"), text)
}

/**
 * `await` outside of a function is for ES modules; a TypeScript compiler that checks the file as CommonJS refuses it, though
 * Prisma runs it either way.
 */
function canAwait({ found, files }: Setting, config: string): boolean {
  if (/\.m[jt]s$/.test(config)) return true
  if (/\.c[jt]s$/.test(config)) return false
  const { isModule } = packageKind(files.text(inFolder(found.at, "package.json")))
  const compiler = files.text(inFolder(found.at, "tsconfig.json"))
  const target = compiler === undefined ? undefined : /"module"\s*:\s*"(\w+)"/i.exec(compiler)?.[1]?.toLowerCase()
  if (config.endsWith(".js")) return isModule
  if (target === undefined) return isModule || compiler === undefined
  return /^(es2022|esnext|preserve)$/.test(target) || (/^node/.test(target) && isModule)
}

/** `export default defineConfig({` or `export default {` to the end of the file; undefined for another form. */
const defined =
  /^(?<start>[ \t]*export default )(?<call>defineConfig\()?(?<body>\{[\s\S]*^\})(?<end>\)?)(?<rest>;?\s*)$/m

/** The text with its settings as the argument of `lockstep`; undefined where it has another form. */
function wrap(text: string): string | undefined {
  const { start, call = "", body = "", end, rest = "" } = defined.exec(text)?.groups ?? {}
  if (start === undefined || (call === "") !== (end === "") || !/^(?:satisfies|as)?\s*;?\s*$/.test(rest))
    return undefined
  const semicolon = /^import [^\n]*;$/m.test(text) ? ";" : ""
  const quote = /^import [^\n]*'/m.test(text) ? "'" : '"'
  const config = `${start}${call}await lockstep(${body})${end}${rest}`
  return withImport(
    text.replace(defined, () => config),
    `import { lockstep } from ${quote}${door}${quote}${semicolon}`,
  )
}

/** After the last import that begins a line; at the beginning where there is none. */
function withImport(text: string, line: string): string {
  const imports = [...text.matchAll(/^import\b(?:[^"'\n]|\n(?!import))*["'][^"'\n]+["'];?[ \t]*$/gm)]
  const last = imports.at(-1)
  if (last === undefined) return `${line}\n\n${text}`
  const end = last.index + last[0].length
  return `${text.slice(0, end)}\n${line}${text.slice(end)}`
}
