/** What was typed after an option, as errors show it: in quotes, so that an empty value is seen. */
export const asTyped = (value: unknown): string => (value === undefined ? 'none' : `"${String(value)}"`)
