/** The states of storage/jobs, written out: the command line loads this file and must not load the jobs themselves. */
export const JOB_STATE_NAMES = [
  'queued',
  'running',
  'paused',
  'completed',
  'completed-with-problems',
  'failed',
  'cancelled'
] as const

export const PRIORITY_NAMES = ['critical', 'high', 'normal', 'low'] as const
