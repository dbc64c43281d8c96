import { existsSync, readFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { type Manifest, readManifest } from "../project/manifest.js"
import { findManager, type PackageManager, packageManagers } from "../project/package-manager.js"

/** What decides how the person who called types a command. */
export interface Caller {
  /** How the Dagger module's functions are called, such as "dagger call"; undefined outside of the module's containers. */
  readonly dagger: string | undefined
  /** What the project is installed with. */
  readonly installer: PackageManager
  /** The same where it runs the project's commands; undefined where one can only be called by its own name. */
  readonly manager: PackageManager | undefined
  /** npx, where it has fetched this package for the call at hand; the project has not installed it. */
  readonly fetchedBy: "npx" | undefined
  /** package.json's. */
  readonly scripts: Readonly<Record<string, string>>
  /** The text of the project's Makefile; empty where there is none. */
  readonly makefile: string
}

const inBackticks = /`(?:(lockstep|prisma|npm install) ([^`\n]+)|npm install)`/g

/**
 * Replaces the commands of a message, written in backticks as `lockstep VERB …`, `prisma …` or `npm install`, by what is
 * typed in this project. The
 * caller is only looked for where the text has one.
 */
export function typedCommands(text: string, caller: () => Caller): string {
  return text.replace(inBackticks, (_, program: string | undefined, words: string) => {
    if (program === undefined) return packageManagers[caller().installer].install
    if (program === "lockstep") return typedCommand(words.trim(), caller())
    return program === "prisma" ? installedCommand(`prisma ${words}`, caller()) : installation(words, caller())
  })
}

function typedCommand(words: string, caller: Caller): string {
  const [verb = "", ...args] = words.split(/\s+/)
  return (
    daggerCall(caller.dagger, verb, args) ??
    makeTarget(caller.makefile, words) ??
    scriptCall(caller, verb, args) ??
    installedCommand(`lockstep ${words}`, caller)
  )
}

function installedCommand(words: string, { manager, fetchedBy }: Caller): string {
  if (manager !== undefined) return `${packageManagers[manager].run} ${words}`
  return fetchedBy === undefined ? words : `${fetchedBy} ${words.replace(/^lockstep /, `${packageName} `)}`
}

function installation(words: string, { installer }: Caller): string {
  const packages = words.replace(/^--save-dev /, "")
  return `${packageManagers[installer][packages === words ? "add" : "addDev"]} ${packages}`
}

const fleetCall = (verb: string): string => `fleet-${verb} --targets file://targets.txt`

const onDatabase = "--database-url env://DATABASE_URL"

/** The module's functions that do the same as a verb, with what they need beside the verb's own options. */
const functions: Readonly<Record<string, (args: readonly string[]) => string | undefined>> = {
  deploy: (args) =>
    args[0] === "--targets"
      ? fleetCall("deploy")
      : [`deploy ${onDatabase}`, ...args.map((arg) => `--options=${arg}`)].join(" "),
  backfill: (args) =>
    args[0] === "--targets"
      ? fleetCall("backfill")
      : [`backfill ${onDatabase}`, ...args.map((arg) => `--options=${arg}`)].join(" "),
  status: (args) => [`status ${onDatabase}`, ...args.map((arg) => `--options=${arg}`)].join(" "),
  plan: (args) => [`plan ${onDatabase}`, ...args.map((arg) => `--options=${arg}`)].join(" "),
  resolve: (args) => ["resolve", onDatabase, ...args].join(" "),
  push: (args) => ["push", onDatabase, ...args].join(" "),
  migrate: (args) => (args.includes("--create-only") ? undefined : ["migrate", ...args].join(" ")),
  undo: (args) => undoCall(args),
  generate: () => "generate",
  kubernetes: ([part, ...args]) => ["kubernetes", `--part ${part}`, ...args.map((arg) => `--options=${arg}`)].join(" "),
  "test-db": ([action]) => (action === "up" ? "test-db up --ports 5432:5432" : undefined),
}

/** A draft is completed by hand, on the machine itself. */
function undoCall(args: readonly string[]): string | undefined {
  if (args.includes("--draft")) return undefined
  return ["undo", ...args.map((arg) => (arg.startsWith("-") ? arg : `--name ${arg}`))].join(" ")
}

/** undefined: the module has no such function, so it is done on the machine itself. */
function daggerCall(dagger: string | undefined, verb: string, args: readonly string[]): string | undefined {
  if (dagger === undefined || args.includes("--help") || !Object.hasOwn(functions, verb)) return undefined
  const call = functions[verb]?.(args)
  return call === undefined ? undefined : `${dagger} ${call}`
}

/** A target whose recipe starts the test database: it may do so in containers, or do more. */
function makeTarget(makefile: string, words: string): string | undefined {
  if (!/^test-db up\b/.test(words)) return undefined
  const [, target] = /^([\w-]+):.*\n(?:\t.*\n)*?\t.*lockstep\)? test-db up\b/im.exec(makefile) ?? []
  return target && `make ${target}`
}

/** A single `lockstep` command with nothing before it: one that sets DATABASE_URL is about another database. */
const script = /^(?:npx |pnpm exec |yarn |bunx |node )?(?:\S*\/)?(?:lockstep|dist\/cli\.js) ([^;&|<>$`]+)$/

/** A script of the project's that runs this verb; one with options of its own only where these are wanted. */
function scriptCall({ scripts, manager }: Caller, verb: string, args: readonly string[]): string | undefined {
  if (manager === undefined) return undefined
  for (const [name, command] of Object.entries(scripts)) {
    const [scriptVerb, ...own] = script.exec(command.trim())?.[1]?.split(/\s+/) ?? []
    if (scriptVerb !== verb || !own.every((word, index) => word === args[index])) continue
    const rest = args.slice(own.length)
    return [scriptRun(manager, name), ...(manager === "npm" && rest.length > 0 ? ["--"] : []), ...rest].join(" ")
  }
  return undefined
}

/** pnpm and yarn run a script by its name alone where no command of their own can have it. */
function scriptRun(manager: PackageManager, name: string): string {
  const isShort = (manager === "pnpm" || manager === "yarn") && name.includes(":")
  return isShort ? `${manager} ${name}` : `${manager} run ${name}`
}

const found = new Map<string, Caller>()

/** The caller of this process, found once for each working directory. */
export function thisCaller(): Caller {
  const cwd = process.cwd()
  const caller = found.get(cwd) ?? detectCaller(cwd, process.env)
  found.set(cwd, caller)
  return caller
}

/** Reads package.json, the lockfile, the Makefile and PATH. What cannot be read counts as missing. */
export function detectCaller(root: string, env: Readonly<Record<string, string | undefined>>): Caller {
  const dagger = env.LOCKSTEP_CALLED_BY || undefined
  const manifest = manifestOf(root)
  const folders = upwards(root)
  const { name } = findManager({ has: existsSync, text: readText }, folders)
  const isInstalled =
    folders.some((folder) => existsSync(join(folder, "node_modules/.bin/lockstep"))) ||
    packageName in { ...manifest?.dependencies, ...manifest?.devDependencies }
  // Inside of the module's containers PATH is not the caller's. Elsewhere npx stands for Node, beside which the project's
  // own package manager can be called, or installed, also where PATH does not have it.
  const canRun = dagger !== undefined || [packageManagers[name].run, "npx"].some((words) => isOnPath(words, env.PATH))
  return {
    dagger,
    installer: name,
    manager: isInstalled && canRun ? name : undefined,
    fetchedBy: env.npm_lifecycle_event === "npx" && env.npm_lifecycle_script?.includes(packageName) ? "npx" : undefined,
    scripts: manifest?.scripts ?? {},
    makefile: readText(join(root, "Makefile")) ?? "",
  }
}

const packageName = "prisma-lockstep"

const upwards = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...upwards(dirname(folder))]

const isOnPath = (words: string, path = ""): boolean =>
  path.split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, words.split(" ")[0] ?? "")))

function manifestOf(root: string): Manifest | undefined {
  try {
    return readManifest(root)
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
