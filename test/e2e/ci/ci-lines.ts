import { extname } from "node:path"
import { isScalar, parseDocument, visit } from "yaml"

/** Every `dagger …` command line of a file: Markdown, YAML, a shell script or a Jenkinsfile. Prose and comments are none. */
export function daggerLines(path: string, text: string): string[] {
  return commandsOf(path, text)
    .flatMap((commands) => commands.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => [...line.matchAll(/(?:^|[\s'"`(;&|])(dagger\s+[\w-].*)$/g)].map(([, found]) => found ?? ""))
}

function commandsOf(path: string, text: string): string[] {
  switch (extname(path)) {
    case ".md": {
      const fence = /^```(\w*)[^\n]*\n(.*?)^```$/gms
      const fences = [...text.matchAll(fence)].map(([, language = "", code = ""]) =>
        shells.has(language) ? withoutComments(code) : typed(code),
      )
      const spans = [...text.replace(fence, "").matchAll(/`(dagger [^`]+)`/g)].map(([, code = ""]) => code)
      return [...fences, ...spans.map((code) => code.replace(/\s+/g, " "))]
    }
    case ".yml":
    case ".yaml": {
      const scalars: string[] = []
      visit(parseDocument(text), {
        Scalar: (_, node) => {
          if (isScalar(node) && typeof node.value === "string") scalars.push(withoutComments(node.value))
        },
      })
      return scalars
    }
    case "":
      return [...text.matchAll(/\bsh\s+(?:'([^'\n]*)'|"([^"\n]*)")/g)].map(([, one, two]) => one ?? two ?? "")
    default:
      return [withoutComments(text)]
  }
}

const shells: ReadonlySet<string> = new Set(["bash", "sh", "shell", "console"])

/** What is typed in a shown session; the rest is output or a drawing. */
const typed = (session: string): string => session.match(/^\$ .*$/gm)?.join("\n") ?? ""

const withoutComments = (text: string): string => text.replace(/^\s*#.*$/gm, "")
