/**
 * A word as it is typed in a shell: in quotes where it holds blanks or anything else that a shell does not take for itself. For
 * commands that a person is told to say.
 */
export const typed = (word: string): string =>
  /^[\p{L}\p{N}_./@:+-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
