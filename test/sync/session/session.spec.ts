import { openSync } from './fixture.js'
import { sessionSuite } from './session-suite.js'

describe('a session between two folders', () => sessionSuite(openSync))
