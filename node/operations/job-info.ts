import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import { formatBytes, formatTime, formatTook } from './format.js'
import { jobRemark, shortId, stateText } from './job-text.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'

/** Of the files that wait for an answer, the first. */
const SHOWN_CONFLICTS = 100

export const jobInfo = defineOperation({
  name: 'job.info',
  summary: 'All about one job: phases, problems, log, result',
  input: z.strictObject({ job: z.string().min(1) }),
  async run({ peer }, { job }) {
    const info = peer.jobs.info(peer.jobs.resolve(job))
    const { total, list } = peer.copies.conflicts(info.id, SHOWN_CONFLICTS)
    const conflicts = { total, list: list.map(c => ({ ...c, path: displayPath(c.path) })) }
    return { now: peer.clock.nowMs(), ...info, ...(total > 0 && { conflicts }) }
  },
  command: {
    path: 'job info',
    arguments: [['<job>', 'its id, or the beginning or end of it']],
    examples: ['spacedrive job info 3f2a9c1e'],
    input: ({ arguments: [job] }) => ({ job: String(job) }),
    render(job, terminal) {
      const heading = (text: string): void => {
        terminal.line()
        terminal.line(terminal.bold(text))
      }
      terminal.line(`${terminal.bold(job.title)}  ${stateText(job.state, terminal)}`)
      terminal.line(`Id        ${job.id}`)
      terminal.line(`Kind      ${job.kind}, priority ${job.priority}`)
      terminal.line(`Made      ${formatTime(job.createdAt)}`)
      if (job.startedAt !== null) {
        terminal.line(`Ran       ${formatTook((job.endedAt ?? job.now) - job.startedAt)}`)
      }
      if (job.progress !== null) {
        // How fast it was at the very end, and that nothing is left, says nothing of a job that has ended.
        const { bytesPerSecond: _, remainingMs: __, ...figures } = job.progress
        terminal.line(`Progress  ${progressLine(job.endedAt === null ? job.progress : figures, terminal)}`)
      }
      if (job.pausedBecause !== null) terminal.line(`Paused    ${job.pausedBecause}`)
      if (job.error !== null) terminal.line(`Error     ${job.error.message} (${job.error.code})`)
      const result = resultText(job.output)
      if (result !== '') terminal.line(`Result    ${result}`)
      if (job.history.length > 0) {
        heading('Phases')
        terminal.table(
          job.history.map(h => ({
            PHASE: h.phase,
            STATE: h.status,
            TOOK: h.endedAt === null ? '' : formatTook(h.endedAt - h.startedAt),
            '': h.error?.message ?? ''
          }))
        )
      }
      if (job.children.length > 0) {
        heading('Children')
        terminal.table(
          job.children.map(c => ({
            ID: shortId(c.id),
            JOB: c.title,
            STATE: stateText(c.state, terminal),
            '': jobRemark(c, job.now)
          }))
        )
      }
      if (job.problemList.length > 0) {
        heading(`Problems (${job.problems})`)
        for (const p of job.problemList) terminal.line(`  ${p.path}: ${p.message}`)
        if (job.problems > job.problemList.length) terminal.line(`  and ${job.problems - job.problemList.length} more`)
      }
      if (job.conflicts !== undefined) {
        heading(`Files that exist and wait for an answer (${job.conflicts.total})`)
        for (const c of job.conflicts.list) {
          const [there, coming] = [c.targetMtimeMs, c.sourceMtimeMs].map(formatTime)
          terminal.line(
            `  ${c.path}: there ${formatBytes(c.targetBytes)} of ${there}, to come ${formatBytes(c.sourceBytes)} of ${coming}`
          )
        }
        terminal.line(`  Answer with \`spacedrive job resume ${shortId(job.id)} --answer replace|skip|skip-newer\``)
      }
      if (job.log.length > 0) {
        heading('Log')
        for (const l of job.log)
          terminal.line(`  ${formatTime(l.at)}  ${l.phase === null ? '' : `${l.phase}: `}${l.message}`)
      }
    }
  }
})

/** The figures of a result that are not nothing, in words; the whole of it is in the JSON. */
function resultText(output: unknown): string {
  if (typeof output !== 'object' || output === null) return output == null ? '' : String(output)
  return Object.entries(output)
    .filter(([, value]) => (typeof value === 'number' && value !== 0) || typeof value === 'string')
    .map(([name, value]) => {
      const words = name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
      if (typeof value !== 'number') return `${words} ${value}`
      return /bytes/i.test(name)
        ? `${words.replace(/ ?bytes/, '')} ${formatBytes(value)}`.trim()
        : `${value.toLocaleString('en-US')} ${words}`
    })
    .join(', ')
}
