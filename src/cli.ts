#!/usr/bin/env node
import { resolve } from "node:path"
import { CommanderError, Command as Program } from "commander"
import { describeCommand } from "./cli/help.js"
import type { Command, Invocation, OptionTable } from "./cli/options.js"
import { everythingWritten, type Output, processOutput, surviveClosedPipes, writeFailure } from "./cli/output.js"
import { parseSettings } from "./cli/settings.js"
import { abortOnSignals, interruptedCode } from "./cli/signals.js"
import { commands } from "./commands/index.js"
import { LockstepError } from "./errors.js"
import { inTermsOf } from "./project/database-url.js"
import { readManifest } from "./project/manifest.js"
import { loadProject, type Project } from "./project/project.js"
import { findProjectRoot, type GivenPaths } from "./project/workspace.js"
import { asLockstepError, errorObject, renderError } from "./report/error.js"
import { compileQuicklyForGood } from "./sql/parser.js"
import { version } from "./version.js"

const interrupted = abortOnSignals(() => false)

async function run(
  command: Command,
  output: Output,
  { flags, operands }: { readonly flags: Record<string, unknown>; readonly operands: readonly string[] },
): Promise<number> {
  const cwd = process.cwd()
  const parse = (section: Readonly<Record<string, unknown>>) =>
    parseSettings(command.options, { flags, env: process.env, section })
  const own = readManifest(cwd).lockstep
  const first = parse(own)
  let root: string | undefined
  const projectRoot = (): string => {
    root ??= findProjectRoot(cwd, pathsIn(first))
    return root
  }
  // A package of a workspace may hold settings of its own; at the workspace's root they hold as well.
  const settings =
    needsProject(command) && projectRoot() !== cwd ? parse({ ...sectionOf(projectRoot()), ...own }) : first
  let project: Project | undefined
  const invocation: Invocation<OptionTable> = {
    settings,
    operands,
    output,
    signal: interrupted,
    root: projectRoot,
    project: async (needs = "everything") => {
      project = await loadProject({ root: projectRoot(), ...pathsIn(settings) }, needs)
      return project
    },
  }
  try {
    return await command.run(invocation)
  } catch (error) {
    throw project === undefined ? error : inTermsOf(project, error)
  }
}

const needsProject = ({ options }: Command): boolean => "schema" in options

/** The paths that were given, absolute: they are relative to the working directory. */
function pathsIn(settings: object): GivenPaths {
  const { config, schema, migrations } = settings as GivenPaths
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path))
  return { config: absolute(config), schema: absolute(schema), migrations: absolute(migrations) }
}

/** A package's settings; its paths are its own. */
function sectionOf(folder: string): Readonly<Record<string, unknown>> {
  const { config: _, schema: __, migrations, ...section } = readManifest(folder).lockstep
  return typeof migrations === "string" ? { ...section, migrations: resolve(folder, migrations) } : section
}

function build(name: string | undefined, loaded: Command | undefined, finish: (code: number) => void): Program {
  const program = new Program("lockstep")
    .description("The whole life of a Prisma migration on PostgreSQL.")
    .version(version, "-V, --version", "show the version")
    .helpCommand("help [command]", "show a command's help")
    .helpOption("-h, --help", "show this help")
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
  for (const [verb, { summary }] of Object.entries(commands)) {
    const sub = program.command(verb).summary(summary)
    if (verb !== name || loaded === undefined) continue
    describeCommand(sub.exitOverride(), loaded)
    sub.action(async () => {
      const flags: Record<string, unknown> = sub.opts()
      finish(await run(loaded, processOutput(flags.json === true, interrupted), { flags, operands: sub.args }))
    })
  }
  return program
}

async function main(): Promise<number> {
  const [first, second] = process.argv.slice(2)
  const name = first === "help" ? second : first
  const entry = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  const loaded = (await entry?.load())?.default
  let code = 0
  const program = build(name, loaded, (result) => {
    code = result
  })
  if (first === undefined) {
    program.outputHelp()
    return 0
  }
  await program.parseAsync()
  return code
}

/** Commander's complaints about the command line are wrong usage; its help and version are no failure. */
function failure(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const known =
    error instanceof CommanderError
      ? new LockstepError("L1301", error.message.replace(/^error: /, ""), { next: helpCommand() })
      : asLockstepError(error)
  const output = processOutput(process.argv.includes("--json"), interrupted)
  output.object(errorObject(known))
  if (!interrupted.aborted || known.code !== "L1001") output.say(renderError(known, output.paint))
  else output.say(known.details.state ? `interrupted: ${known.details.state}` : "interrupted.")
  return known.exitCode
}

function helpCommand(): string {
  const [verb] = process.argv.slice(2)
  return verb !== undefined && Object.hasOwn(commands, verb) ? `\`lockstep ${verb} --help\`` : "`lockstep --help`"
}

surviveClosedPipes()
compileQuicklyForGood()
const answer = await main().catch(failure)
await everythingWritten()
const unwritten = writeFailure()
const code = Math.max(answer, unwritten === undefined ? 0 : failure(unwritten))
await everythingWritten()

// The schema engine leaves timers behind that would keep the process for half a minute.
process.exit(code === 0 ? 0 : (interruptedCode(interrupted) ?? code))
