import { resolve } from "node:path"
import * as z from "zod/mini"
import { allowEmptyOption, defineCommand, flag, option, projectOptions, text } from "../cli/options.js"
import { LockstepError } from "../errors.js"
import { assembleImage, type ImageResult } from "../image/image.js"
import { readMigrations } from "../project/migrations.js"

/** `lockstep image`: the migration image's parts, for a container builder to put together. Needs no database. */
export default defineCommand({
  description: `Writes the parts of the migration image into a folder: layers/ (one folder a layer, each to be copied onto /),
config.json (work folder, user, command), env.json, labels.json and sbom.cdx.json. docs/image.md says how to build it.

Exit codes: 0 written; 1 Prisma's CLI does not start from what was chosen; 2 wrong usage, or a package is missing.`,
  options: {
    ...projectOptions,
    out: text("--out <dir>", "the folder to write; an earlier image there is replaced"),
    slim: flag("--slim", "leave Prisma's CLI out: lockstep deploy, status, plan and wait remain"),
    only: option({
      flags: "--only <part>",
      help: "history: the last layer and the documents alone, where the other layers are there already",
      schema: z.optional(z.enum(["history"], "is not history")),
    }),
    allowEmpty: allowEmptyOption,
    keep: text("--keep <packages>", "packages not to leave out of Prisma's CLI, separated by commas"),
    source: text("--source <url>", "the repository, for the labels (default: package.json, then git)"),
    revision: text("--revision <commit>", "the commit, for the labels (default: git)"),
    release: text("--release <version>", "the project's version, for the labels (default: package.json)"),
  },
  examples: ["lockstep image --out build/image", "lockstep image --out build/image --slim --json"],
  async run({ settings, output, project }) {
    const { out, slim, only, keep, source, revision, release } = settings
    if (out === undefined)
      throw new LockstepError("L1301", "where to write is not said", { next: "lockstep image --out DIR" })
    const where = await project("migrations")
    const result = await assembleImage({
      project: where,
      folder: readMigrations(where, settings),
      out,
      slim,
      only,
      keep: keep?.split(",").map((name) => name.trim()) ?? [],
      source,
      revision,
      version: release,
    })
    for (const { name, files, bytes } of result.layers)
      output.say(`  ${name.padEnd(14)} ${megabytes(bytes).padStart(8)}  ${files} files`)
    output.data(verdict(result, out))
    output.object({ schema: "lockstep.image/1", out: resolve(out), ...result })
    return 0
  },
})

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const verdict = ({ bytes, packages, labels }: ImageResult, out: string): string =>
  `Image parts in ${out}: ${megabytes(bytes)}, ${packages} packages, ${labels["dev.lockstep.history.count"]} migrations.`
