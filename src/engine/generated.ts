/**
 * The engine's SQL without the BEGIN and COMMIT that it puts around a changed enum, so that the migration and its history
 * row stand or fall together. Only for what the engine wrote: it makes no function bodies, where such lines mean more.
 */
export const inOneTransaction = (script: string): string => script.replaceAll(/^(?:BEGIN|COMMIT);\n/gm, "")
