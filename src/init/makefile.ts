import { appended, nothing, type Proposal, rewrite, type Setting } from "./change.js"
import { typed } from "./package-json.js"

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
