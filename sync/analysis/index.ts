/**
 * Analysis: what is where, from the index, from the disk, or from both; shared by copy and sync.
 *
 *   const places = indexPlaces({ pool, libraries, locations })
 *   const [place] = await places.placesOf(path)                        // which index holds it; place.sums is the first estimate
 *   const analysis = analyse({ endpoint, place, prepare: 'auto', pool, random })
 *   for await (const { from, entries } of analysis.pages()) ...        // the index at once, then what the disk shows otherwise
 *
 * `destination.ts` answers what stands at a destination while it is still being indexed; `compare.ts` (pure) and
 * `compare-trees.ts` compare; `progress.ts` and `preparation.ts` are what a copy tells.
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
export { type Comparable, type CompareBy, compareEntries, type Difference, sameTime, type Verdict } from './compare.js'
export { type ComparedEnd, type ComparedPath, type CompareTreesInit, compareTrees } from './compare-trees.js'
export { type ContentHashesInit, type ContentOf, contentHashes } from './content-hashes.js'
export {
  type DestinationCounts,
  type DestinationIndex,
  type DestinationInit,
  destinationIndex,
  type Standing,
  type Stands
} from './destination.js'
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
export { AHEAD_ENTRIES, COMPARED_AT_ONCE, MAX_DESTINATION, MAX_PASSED_OVER, MAX_REPORTED, MAX_TOLD } from './limits.js'
export {
  type IndexedCopy,
  type IndexPlace,
  type IndexPlaces,
  type IndexPlacesInit,
  indexPlaces,
  type RecordedFile
} from './places.js'
export { type Preparation, preparationText } from './preparation.js'
export { type ConflictSummary, type CopyProgress, CopyProgressSum, progressText, type SkipReason } from './progress.js'
export { checkStaleness, type StalenessInit, type StalenessReport, type StaleSubtree } from './staleness.js'
export { type Told, ToldTable } from './told-table.js'
