/**
 * Analysis: what is where, from the index, from the disk, or from both; shared by copy and sync.
 *
 *   const places = indexPlaces({ pool, libraries, locations })
 *   const [place] = await places.placesOf(path)                        // which index holds it; place.sums is the first estimate
 *   const analysis = analyse({ endpoint, place, prepare: 'auto', pool, random })
 *   for await (const { from, entries } of analysis.pages()) ...        // the index at once, then what the disk shows otherwise
 *
 * `places.ts` asks the indexes of all libraries; `freshness.ts` (pure) judges a directory by its times, `staleness.ts` reports
 * on a whole tree; `known.ts` streams what the index knows and a look confirms; `analyse.ts` joins index and disk;
 * docs/analysis.md says what each promises. Where no index is to be had, the disk answers, and a note says so.
 */
export {
  type AnalysedEntry,
  type AnalysedPage,
  type AnalyseInit,
  type Analysis,
  type AnalysisNote,
  type AnalysisSummary,
  analyse,
  type Counts,
  type FoundWhy,
  type Prepare
} from './analyse.js'
export {
  type Confidence,
  type ConfidenceReason,
  confidenceOf,
  type DirectoryVerdict,
  type FileSystemFacts,
  type FreshnessRules,
  judgeDirectory,
  type StaleWhy
} from './freshness.js'
export { type KnownOptions, type KnownPage, knownTree } from './known.js'
export { AHEAD_ENTRIES, MAX_DESTINATION, MAX_PASSED_OVER, MAX_REPORTED, MAX_TOLD } from './limits.js'
export { type IndexedCopy, type IndexPlace, type IndexPlaces, type IndexPlacesInit, indexPlaces } from './places.js'
export { type ConflictSummary, type CopyProgress, CopyProgressSum, progressText, type SkipReason } from './progress.js'
export { checkStaleness, type StalenessInit, type StalenessReport, type StaleSubtree } from './staleness.js'
export { type Told, ToldTable } from './told-table.js'
