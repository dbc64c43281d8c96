import { resolve } from "node:path"
import { CommanderError, Command as Program } from "commander"
import { describeCommand } from "./cli/help.js"
import type { Command, Invocation, OptionTable } from "./cli/options.js"
import { processOutput } from "./cli/output.js"
import { parseSettings } from "./cli/settings.js"
import { commands } from "./commands/index.js"
import { LockstepError } from "./errors.js"
import { inTermsOf } from "./project/database-url.js"
import { readManifest } from "./project/manifest.js"
import { loadProject, type Project } from "./project/project.js"
import { findProjectRoot, type GivenPaths } from "./project/workspace.js"
import { asLockstepError, errorObject, renderError } from "./report/error.js"
import { version } from "./version.js"

/** One call of `lockstep`. */
export interface Call {
  /** What was typed after the program's name. */
  readonly argv: readonly string[]
  /** Aborted by a signal; the reason is the signal's name. */
  readonly interrupted: AbortSignal
}

/** Parses a command line and does what it says, in this process's working directory; an error is printed. Resolves to the exit code. */
export async function runCommandLine(call: Call): Promise<number> {
  try {
    return await parseAndRun(call)
  } catch (error) {
    return reportFailure(error, call)
  }
}

/** A command with what was typed for it. */
interface Typed {
  readonly command: Command
  readonly flags: Record<string, unknown>
  readonly operands: readonly string[]
}

async function run({ command, flags, operands }: Typed, interrupted: AbortSignal): Promise<number> {
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
    output: processOutput(flags.json === true, interrupted),
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

/** The whole command line; what it does for the one verb whose command is loaded. */
function build(
  loaded: { readonly verb: string; readonly command: Command } | undefined,
  act: (typed: Typed) => Promise<void>,
): Program {
  const program = new Program("lockstep")
    .description("The whole life of a Prisma migration on PostgreSQL.")
    .version(version, "-V, --version", "show the version")
    .helpCommand("help [command]", "show a command's help")
    .helpOption("-h, --help", "show this help")
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
  for (const [verb, { summary }] of Object.entries(commands)) {
    const sub = program.command(verb).summary(summary)
    if (verb !== loaded?.verb) continue
    describeCommand(sub.exitOverride(), loaded.command)
    sub.action(() => act({ command: loaded.command, flags: sub.opts(), operands: sub.args }))
  }
  return program
}

async function parseAndRun({ argv, interrupted }: Call): Promise<number> {
  const [first, second] = argv
  const verb = first === "help" ? second : first
  const entry = verb !== undefined && Object.hasOwn(commands, verb) ? commands[verb] : undefined
  const loaded = verb !== undefined && entry !== undefined ? { verb, command: (await entry.load()).default } : undefined
  let code = 0
  const program = build(loaded, async (typed) => {
    code = await run(typed, interrupted)
  })
  if (first === undefined) {
    program.outputHelp()
    return 0
  }
  await program.parseAsync(argv, { from: "user" })
  return code
}

/**
 * Prints an error; returns its exit code. Commander's complaints about the command line are wrong usage; its help and
 * version are no failure.
 */
export function reportFailure(error: unknown, { argv, interrupted }: Call): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const known =
    error instanceof CommanderError
      ? new LockstepError("L1301", error.message.replace(/^error: /, ""), { next: helpCommand(argv) })
      : asLockstepError(error)
  const output = processOutput(argv.includes("--json"), interrupted)
  output.object(errorObject(known))
  if (!interrupted.aborted || known.code !== "L1001") output.say(renderError(known, output.paint))
  else output.say(known.details.state ? `interrupted: ${known.details.state}` : "interrupted.")
  return known.exitCode
}

function helpCommand([verb]: Call["argv"]): string {
  return verb !== undefined && Object.hasOwn(commands, verb) ? `\`lockstep ${verb} --help\`` : "`lockstep --help`"
}
