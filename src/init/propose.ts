import { appended, nothing, type Proposal, type Proposer, rewrite, type Setting } from "./change.js"
import { proposeChart } from "./chart.js"
import { proposeCi } from "./ci.js"
import { proposeDagger } from "./dagger.js"
import { foldersUpTo, inFolder } from "./listing.js"
import { proposePackageJson, typed } from "./package-json.js"
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

/** The strategy's targets: what each does, and its recipe. */
const targets = [
  {
    name: "test-db",
    what: "start a test PostgreSQL, apply every migration, generate the client",
    recipe: ["test-db up --deploy", "generate"],
  },
  {
    name: "test-db-migrate",
    what: "write the next migration from the schema's change: NAME=add_orders",
    recipe: ["test-db up --deploy", 'migrate $(if $(NAME),--name "$(NAME)")'],
  },
  { name: "clean", what: "stop the test PostgreSQL and remove its data", recipe: ["test-db down"] },
] as const

/** Makefile: the strategy's targets that it does not have yet, at its end. */
export function proposeMakefile(setting: Setting): Proposal {
  const { found, files } = setting
  if (found.makefile === undefined) return nothing()
  const text = files.text(found.makefile) ?? ""
  const isThere = (name: string) => new RegExp(`^[^\\t#\\n]*(?<![\\w-])${name}(?![\\w-])[^=\\n]*:(?!=)`, "m").test(text)
  const stays = targets.filter(({ name }) => isThere(name))
  const missing = targets.filter(({ name }) => !isThere(name))
  const notes = stays
    .filter(({ recipe }) => !text.includes("lockstep") && recipe.length > 0)
    .map(
      ({ name, recipe }) =>
        `${found.makefile}: the target ${name} is yours and stays; Lockstep's does: ${recipe.map((words) => typed(setting, words)).join(" && ")}`,
    )
  if (missing.length === 0) return nothing(...notes)
  const folder = folderFrom(found.makefile, found.at)
  const url = `DATABASE_URL="$$(${typed(setting, "test-db url")})" `
  const line = (words: string) => `\t@${folder}${words.startsWith("migrate") ? url : ""}${typed(setting, words)}`
  const block = [
    "# Migrations: prisma-lockstep. These work on the test database, whatever DATABASE_URL names.",
    `.PHONY: ${missing.map(({ name }) => name).join(" ")}`,
    ...missing.flatMap(({ name, what, recipe }) => ["", `${name}: ## ${what}`, ...recipe.map(line)]),
  ]
  return rewrite(files, found.makefile, appended(text, block.join("\n")), ...notes)
}

/** Where the Makefile is that of a folder above the project, its recipes begin there. */
function folderFrom(makefile: string, at: string): string {
  const folder = makefile.split("/").slice(0, -1).join("/")
  const inside = folder === "" ? at : at.slice(folder.length + 1)
  return inside === "" ? "" : `cd ${inside} && `
}
