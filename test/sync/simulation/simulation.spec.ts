import { check } from '../reconcile/cases.js'
import { anyEdit, plainEdit, type Scenario, Simulation, scenarios } from './simulation.js'

function play(scenario: Scenario, plain = false): Simulation {
  const simulation = new Simulation(scenario, plain)
  for (const event of scenario.events) simulation.do(event)
  simulation.comeToRest()
  simulation.ensureAlike()
  return simulation
}

describe('simulation: several devices', () => {
  it('plain edits and crashes: all come to hold every edit, nothing that was deleted, and no conflict that is none', () => {
    check(scenarios(['edit', 'edit', 'edit', 'begin', 'begin', 'step', 'finish', 'crash'], plainEdit), scenario => {
      play(scenario, true).ensureTrue()
    })
  })
  it('edits of any kind, moves among them: all come to hold the same, nothing is lost on the way', () => {
    check(
      scenarios(['edit', 'edit', 'edit', 'begin', 'begin', 'step', 'finish', 'crash'], anyEdit),
      scenario => void play(scenario)
    )
  })
  it('disks and databases put back or lost: it is noticed, nothing is deleted for it, and all come to hold the same', () => {
    const whats = ['edit', 'edit', 'edit', 'begin', 'begin', 'step', 'finish', 'crash', 'backup', 'backup'] as const
    check(
      scenarios([...whats, 'restore-disk', 'restore-database', 'lose-database'], anyEdit),
      scenario => void play(scenario)
    )
  })
})
