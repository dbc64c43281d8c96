import { resolve } from "node:path"
import { defineCommand } from "../cli/options.js"
import { allowEmpty, projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { assembleImage, type ImageResult } from "../image/image.js"
import { readMigrations } from "../project/project.js"
import { majors } from "../test-db/majors.js"

/** `lockstep image`: the migration image's parts, for a container builder to put together. Needs no database. */
export default defineCommand({
  description: [
    "Writes the parts of the migration image into a folder: layers/ (one folder a layer, each to be copied onto /), config.json (working directory, user, command), env.json, labels.json and sbom.cdx.json. docs/image.md shows how to build it.",
  ],
  options: {
    ...projectOptions,
    out: { type: "text", value: "dir", description: "the folder to write; an earlier image in it is replaced" },
    slim: { type: "boolean", description: "leave Prisma's CLI out: lockstep deploy, status, plan and wait remain" },
    only: {
      type: "choice",
      value: "part",
      choices: ["history"],
      description: "write the last layer and the documents alone, where the other layers exist already",
    },
    ...allowEmpty,
    backupTools: {
      type: "choice",
      value: "major",
      choices: majors,
      description: "have the image hold pg_dump and pg_restore of the server's major version, for backups",
    },
    keep: {
      type: "list",
      value: "packages",
      description: "packages not to leave out of Prisma's CLI, separated by commas",
    },
    source: {
      type: "text",
      value: "url",
      description: "the repository, for the labels",
      defaultDescription: "package.json's, then git's",
    },
    revision: { type: "text", value: "commit", description: "the commit, for the labels", defaultDescription: "git's" },
    release: {
      type: "text",
      value: "version",
      description: "the project's version, for the labels",
      defaultDescription: "package.json's",
    },
  },
  exitCodes: { 0: "written", 1: "Prisma's CLI does not start from what the image would hold" },
  examples: ["lockstep image --out build/image", "lockstep image --out build/image --slim --json"],
  async run({ settings, output, project }) {
    const { out, slim, only, keep, backupTools, source, revision, release } = settings
    if (out === undefined)
      throw new LockstepError("L1301", "--out is missing: the folder to write", { next: "`lockstep image --out DIR`" })
    const where = await project("migrations")
    const result = await assembleImage({
      project: where,
      folder: readMigrations(where, settings),
      out,
      kind: slim ? "slim" : "full",
      only,
      keep,
      backupTools,
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
