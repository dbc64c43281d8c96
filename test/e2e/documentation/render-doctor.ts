import { examinations } from "../../../src/doctor/doctor.js"
import { made } from "./render.js"

/** docs/doctor.md: what each question is about. */
export function doctorPage(): string {
  const sections = examinations.map(
    ({ id, title, why }) => `## ${id}\n\n${title.slice(0, 1).toUpperCase()}${title.slice(1)}. ${why}`,
  )
  return `${[head, ...sections].join("\n\n")}\n`
}

const head = `# The doctor

${made}

\`lockstep doctor\` asks one question after another about the project, and about the database that its environment names.
What fails ends the command with 1; a warning does not. Each finding says what to type next. It changes nothing.`
