import { relative, sep } from "node:path"
import { defineCommand } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { askYesOrNo } from "../cli/prompts.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import type { Change, Proposal } from "../init/change.js"
import { ciSystems, type Found } from "../init/detect.js"
import { makeExample } from "../init/example.js"
import { callingManager, lookAt, nextSteps } from "../init/look.js"
import { propose } from "../init/propose.js"
import { patchOf, uncommitted, undoOf, writeChanges } from "../init/write.js"
import { packageManagers } from "../project/package-manager.js"
import { renderFound, renderPatch } from "../report/init.js"
import { version } from "../version.js"

/** `lockstep init`: what a project needs to work with Lockstep, as changes of its own files. */
export default defineCommand({
  description: [
    "Looks at the project, prints what it found and, as a diff, the changes with which it works with Lockstep; writes them after a yes. What a person wrote is added to, never replaced. A second run has nothing to do.",
    "The changes: the db:* scripts and the dependency in package.json, Lockstep's engine in prisma.config, targets in a Makefile, the toolchain in dagger.json, a pipeline for the CI, the init container in a Helm chart, and .gitignore.",
    "--example makes a small shop in an empty folder instead, to try everything on.",
  ],
  operands: [{ name: "folder", required: false, description: "with --example: the folder to make (default: shop)" }],
  options: {
    ...projectOptions,
    yes: { type: "boolean", short: "y", description: "write without asking", source: "command line" },
    dryRun: {
      type: "boolean",
      description: "print the changes as a patch on stdout, and write nothing",
      source: "command line",
    },
    example: { type: "boolean", description: "make an example project", source: "command line" },
    ci: {
      type: "choice",
      value: "system",
      choices: ciSystems,
      description: "the CI to write a pipeline for",
      defaultDescription: "the one that is found",
      source: "command line",
    },
    dagger: {
      type: "text",
      value: "address",
      description: "add the Dagger module, by its address and version, such as github.com/owner/lockstep@v0.1.0",
      source: "command line",
    },
  },
  exitCodes: { 0: "written, or nothing to do", 1: "a file cannot be written" },
  examples: [
    "npx prisma-lockstep init",
    "npx prisma-lockstep init --dry-run",
    "npx prisma-lockstep init --example shop",
  ],
  async run({ settings, operands: [folder], output, project }) {
    if (settings.example) return example(folder ?? "shop", output)
    if (folder !== undefined)
      throw new LockstepError("L1301", "a folder is only for --example", { next: "`lockstep init --help`" })
    const { files, found, root, notes } = await lookAt(process.cwd(), project)
    const wanted = { ci: ciSystems.find((one) => one === settings.ci), dagger: settings.dagger, version }
    const proposal = propose({ files, found, wanted })
    output.say(`Found in ${root}:\n${renderFound(found)}`)
    for (const note of [...notes, ...proposal.notes]) output.say(`  note  ${note}`)
    const { changes } = proposal
    const done = (state: "written" | "dry run" | "nothing", next: readonly string[]) => {
      output.object(answerOf({ state, found, proposal, next }))
      return 0 as const
    }
    if (changes.length === 0) {
      output.data("Nothing to do: this project is set up.")
      return done("nothing", [])
    }
    const patch = patchOf(changes)
    if (settings.dryRun) {
      output.data(patch.trimEnd(), "script")
      output.say("Nothing was written (--dry-run).")
      return done("dry run", [])
    }
    output.say(`\n${renderPatch(patch, output.paint)}\n`)
    await confirm({ root, changes, yes: settings.yes, output })
    writeChanges(root, changes)
    output.data(
      changes.map(({ path, before }) => `${before === undefined ? "wrote  " : "changed"}  ${path}`).join("\n"),
    )
    const next = nextSteps(found, changes)
    output.say(["Next:", ...next.map((line) => `  ${line}`)].join("\n"))
    const undo = await undoOf(root, changes)
    if (undo.length > 0) output.say(`To undo: ${undo.join("; ")}`)
    return done("written", next)
  },
})

interface Consent {
  readonly root: string
  readonly changes: readonly Change[]
  readonly yes: boolean
  readonly output: Output
}

/** Errors: L1702 nobody said yes. */
async function confirm({ root, changes, yes, output }: Consent): Promise<void> {
  const dirty = await uncommitted(root, changes)
  if (dirty.length > 0)
    output.say(`  note  not committed: ${dirty.join(", ")}; git cannot bring back what is there now`)
  if (yes || (await askYesOrNo(`Write ${changes.length === 1 ? "this file" : `these ${changes.length} files`}?`)))
    return
  throw new LockstepError("L1702", "the changes were not confirmed", {
    state: "nothing was written.",
    next: "`lockstep init --yes` writes them, `lockstep init --dry-run` prints them as a patch",
  })
}

interface Result {
  readonly state: "written" | "dry run" | "nothing"
  readonly found: Found
  readonly proposal: Proposal
  readonly next: readonly string[]
}

const answerOf = ({ state, found, proposal: { changes, notes }, next }: Result) => ({
  schema: "lockstep.init/1",
  state,
  found,
  changes: changes.map((change) => ({
    path: change.path,
    state: change.before === undefined ? "new" : "changed",
    patch: patchOf([change]),
  })),
  notes,
  next,
})

function example(folder: string, output: Output): 0 {
  const made = makeExample(folder)
  const name = callingManager()
  const { run, install } = packageManagers[name]
  const next = [
    ...(folder === "." ? [] : [`cd ${folder}`]),
    install,
    `${run} lockstep test-db up --deploy`,
    "add a field to a model in prisma/schema.prisma, such as  colour String?  to Tag",
    `${run} lockstep migrate --name tag_colour`,
    `${run} lockstep status`,
  ]
  output.data(
    `A shop with ${made.migrations} migrations, in ${relative(process.cwd(), made.folder).split(sep).join("/") || "."}`,
  )
  output.say(["Next:", ...next.map((line) => `  ${line}`)].join("\n"))
  output.object({ schema: "lockstep.init/1", state: "example", folder: made.folder, files: made.files, next })
  return 0
}
