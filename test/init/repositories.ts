import type { Proposal, Proposer, Setting, Wanted } from "../../src/init/change.js"
import { detect, type ProjectPaths } from "../../src/init/detect.js"
import type { Listing } from "../../src/init/listing.js"

/** Files by their paths. */
export type Files = Readonly<Record<string, string>>

export const listing = (files: Files): Listing => ({ paths: Object.keys(files).sort(), text: (path) => files[path] })

/** What there is to look at, with nothing asked for. */
export function settingOf(files: Files, wanted: Partial<Wanted> = {}, paths: Partial<ProjectPaths> = {}): Setting {
  const at = paths.at ?? ""
  const inside = (path: string) => (at === "" ? path : `${at}/${path}`)
  const config = Object.keys(files).find((path) => path.startsWith(inside("prisma.config.")))
  const parts = {
    at,
    schema: inside("prisma/schema.prisma"),
    migrations: inside("prisma/migrations"),
    config,
    variables: ["DATABASE_URL"],
    ...paths,
  }
  return {
    files: listing(files),
    found: detect(listing(files), parts),
    wanted: { ci: undefined, dagger: undefined, version: "1.2.3", ...wanted },
  }
}

/** The files with a proposal's changes. */
export const applied = (files: Files, { changes }: Proposal): Files => ({
  ...files,
  ...Object.fromEntries(changes.map(({ path, after }) => [path, after])),
})

/** The files after a proposer has run, and whether it then has nothing left to do. */
export function run(proposer: Proposer, files: Files, wanted: Partial<Wanted> = {}, paths: Partial<ProjectPaths> = {}) {
  const proposal = proposer(settingOf(files, wanted, paths))
  const after = applied(files, proposal)
  const again = proposer(settingOf(after, wanted, paths))
  return { after, notes: proposal.notes, paths: proposal.changes.map(({ path }) => path), again: again.changes }
}
