import { nothing, type Proposal, type Proposer, rewrite, type Setting } from "./change.js"
import { proposeChart } from "./chart.js"
import { proposeCi } from "./ci.js"
import { proposeDagger } from "./dagger.js"
import { foldersUpTo, inFolder } from "./listing.js"
import { proposeMakefile } from "./makefile.js"
import { proposePackageJson } from "./package-json.js"
import { proposePrismaConfig } from "./prisma-config.js"

/** One part of a project each, in the order in which a person reads the changes. */
const proposers: readonly Proposer[] = [
  proposePackageJson,
  proposePrismaConfig,
  proposeMakefile,
  proposeDagger,
  proposeCi,
  proposeChart,
  proposeGitignore,
]

/** All that init would write, and what it leaves to the person. Pure; nothing where it ran before. */
export function propose(setting: Setting): Proposal {
  const proposals = proposers.map((proposer) => proposer(setting))
  return { changes: proposals.flatMap(({ changes }) => changes), notes: proposals.flatMap(({ notes }) => notes) }
}

/** .gitignore: the test database's folder. */
export function proposeGitignore({ found, files }: Setting): Proposal {
  const paths = foldersUpTo(found.at).map((folder) => inFolder(folder, ".gitignore"))
  const existing = paths.filter((path) => files.paths.includes(path))
  if (existing.some((path) => /^(\*\*\/|\/)?\.lockstep(\/\*{0,2})?\s*$/m.test(files.text(path) ?? ""))) return nothing()
  const [path = paths[0] ?? ".gitignore"] = existing
  const text = files.text(path)
  return rewrite(files, path, text === undefined ? ".lockstep/\n" : `${text.replace(/\n*$/, "\n")}.lockstep/\n`)
}
