import assert from 'node:assert/strict'
import { JOB_STATE_NAMES, PRIORITY_NAMES } from '../../../node/operations/job-states.js'
import { JOB_STATES, PRIORITIES } from '../../../storage/jobs/index.js'

describe('names that the command line knows by heart', () => {
  it('are those of the jobs', () => {
    assert.deepEqual([...JOB_STATE_NAMES], [...JOB_STATES])
    assert.deepEqual([...PRIORITY_NAMES], [...PRIORITIES])
  })
})
