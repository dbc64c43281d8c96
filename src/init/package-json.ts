import detectIndent from "detect-indent"
import { applyEdits, type FormattingOptions, modify } from "jsonc-parser"
import * as z from "zod/mini"
import { json, packageManagers } from "../project/package-manager.js"
import { nothing, type Proposal, rewrite, type Setting } from "./change.js"
import { inFolder } from "./listing.js"

/** The scripts of the strategy, by their names. */
const scripts = {
  "db:migrate": "lockstep migrate",
  "db:deploy": "lockstep deploy",
  "db:status": "lockstep status",
  "db:push": "lockstep push",
  "db:generate": "lockstep generate",
} as const

const shape = z.object({
  scripts: z._default(z.record(z.string(), z.string()), {}),
  dependencies: z._default(z.record(z.string(), z.string()), {}),
  devDependencies: z._default(z.record(z.string(), z.string()), {}),
})

/** package.json: the db:* scripts, and the package itself among the development dependencies. */
export function proposePackageJson({ found, files, wanted }: Setting): Proposal {
  const path = inFolder(found.at, "package.json")
  const text = files.text(path)
  if (text === undefined) return nothing(`${path} does not exist: \`npm init\` makes it; then run init again`)
  const parsed = shape.safeParse(json(text))
  if (!parsed.success) return nothing(`${path} is left as it is: it cannot be read as JSON`)
  const { scripts: own, dependencies, devDependencies } = parsed.data
  const missing = Object.entries(scripts).filter(([name]) => own[name] === undefined)
  const theirs = Object.entries(scripts).filter(
    ([name, command]) => own[name] !== undefined && own[name] !== command && !/lockstep|dist\/cli\.js/.test(own[name]),
  )
  const set = (before: string, key: readonly [string, string], value: string): string =>
    insert({
      text: before,
      key,
      value,
      isSorted: isSorted(Object.keys(parsed.data[key[0] as keyof typeof parsed.data])),
    })
  let after = missing.reduce((before, [name, command]) => set(before, ["scripts", name], command), text)
  const isDeclared = "prisma-lockstep" in { ...dependencies, ...devDependencies }
  const isItself = z.safeParse(z.object({ name: z.literal("prisma-lockstep") }), json(text)).success
  if (!isDeclared && !isItself) after = set(after, ["devDependencies", "prisma-lockstep"], `^${wanted.version}`)
  const notes = theirs.map(
    ([name, command]) => `${path}: the script ${name} is yours (${own[name]}) and stays; Lockstep's is: ${command}`,
  )
  return rewrite(files, path, after, ...notes)
}

interface Insertion {
  readonly text: string
  readonly key: readonly [string, string]
  readonly value: string
  /** Whether the keys there are in order: then the new one gets its place among them. */
  readonly isSorted: boolean
}

/** Adds a key as the file is formatted. */
export function insert({ text, key, value, isSorted: sorted }: Insertion): string {
  const position = sorted
    ? { getInsertionIndex: (names: string[]) => names.filter((name) => name < (key[1] ?? "")).length }
    : {}
  const edits = modify(text, [...key], value, { formattingOptions: formattingOf(text), ...position })
  return applyEdits(text, edits)
}

/** How a JSON file is indented and ends its lines. */
export function formattingOf(text: string): FormattingOptions {
  const { type, amount } = detectIndent(text)
  return {
    insertSpaces: type !== "tab",
    tabSize: type === "tab" ? 1 : amount || 2,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  }
}

/** Two names or more, in order. */
const isSorted = (names: readonly string[]): boolean =>
  names.length > 1 && names.every((name, at) => at === 0 || (names[at - 1] ?? "") <= name)

/** How a command of Lockstep's is typed in the project. */
export const typed = ({ found }: Pick<Setting, "found">, words: string): string =>
  `${packageManagers[found.manager.name].run} lockstep ${words}`
