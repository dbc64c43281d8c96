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
      const fences = [...text.matchAll(/^```(?:bash|sh|shell|console|text)?\n(.*?)^```$/gms)].map(
        ([, code]) => code ?? "",
      )
      const prose = text.replace(/^```.*?^```$/gms, "")
      const spans = [...prose.matchAll(/`(dagger [^`]+)`/g)].map(([, code]) => code?.replace(/\s+/g, " ") ?? "")
      return [...fences.map(withoutComments), ...spans]
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

const withoutComments = (text: string): string => text.replace(/^\s*#.*$/gm, "")
