// Prints what CHANGELOG.md says about a version, for the release's notes: node .github/changelog-section.mjs 1.2.3
import { readFileSync } from "node:fs"

const [version = "", file = "CHANGELOG.md"] = process.argv.slice(2)
const sections = readFileSync(file, "utf8").split(/^## /m).slice(1)
const section = sections.find((text) => text.split(/\s/, 1)[0] === version)

if (section === undefined) fail(`${file} has no section "## ${version}"`)
const [heading, ...lines] = section.split("\n")
if (heading.includes("unreleased")) fail(`${file} says that ${version} is unreleased: write its date`)
const notes = lines.join("\n").trim()
if (notes === "") fail(`${file} says nothing about ${version}`)
console.log(notes)

function fail(reason) {
  console.error(reason)
  process.exit(1)
}
