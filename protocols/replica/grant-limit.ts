// By itself, for the thread that writes grants: the other limits bring the syncs along, 300 files of code.

/** Folders that may be granted, to all devices together. */
export const MAX_GRANTS = 1_000
