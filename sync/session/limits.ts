/** Ends of removed syncs that are remembered until their disk comes back: beyond it the oldest are forgotten, and what lies staged there stays. */
export const MAX_LEFT_ENDS = 1_000
