/**
 * Every operation there is. To add one:
 *
 * 1. Write `node/operations/<name-with-dashes>.ts` that exports `defineOperation({ name, summary, input, run, command })`.
 *    `input` is a `z.strictObject`; `run` reaches everything through `context.peer`; an error is a SpacedriveError whose
 *    code has an exit code in `node/cli/exit-codes.ts` (1 unless listed there).
 * 2. Add one import and one line here (the array is in the order of the command words).
 *
 * The HTTP API, `node.call('<name>', input)`, the command and its help then exist. This array is loaded by the command
 * line too, so a file here imports no heavy package at its top (libp2p, better-sqlite3, koffi, pino, fastify): what `run`
 * needs it takes from `peer` or imports inside `run`. `test/node/cli/light.spec.ts` checks it. A new first word (`network`,
 * `library`) has its one-line description in `node/cli/groups.ts`.
 */
import { configGet } from './config-get.js'
import { configList } from './config-list.js'
import { configPath } from './config-path.js'
import { configSet } from './config-set.js'
import { systemConfirm } from './confirm.js'
import { fileAnswer } from './file-answer.js'
import { fileCopy, fileMove } from './file-copy.js'
import { fileDelete } from './file-delete.js'
import { fileDuplicates } from './file-duplicates.js'
import { fileInfo } from './file-info.js'
import { fileList } from './file-list.js'
import { fileNote } from './file-note.js'
import { fileTrashEmpty } from './file-trash-empty.js'
import { fileTrashList } from './file-trash-list.js'
import { fileTrashRestore } from './file-trash-restore.js'
import { fileValidate } from './file-validate.js'
import { indexBrowse } from './index-browse.js'
import { indexLocation } from './index-location.js'
import { indexQuickScan } from './index-quick-scan.js'
import { jobCancel, jobPause, jobResume } from './job-control.js'
import { jobDispatch, jobKinds } from './job-dispatch.js'
import { jobInfo } from './job-info.js'
import { jobList } from './job-list.js'
import { jobMonitor } from './job-monitor.js'
import { labelAdd, labelList, labelRemove, labelRename } from './labels.js'
import { libraryBackup, libraryCheck, libraryDelete, libraryRebuild } from './library-care.js'
import { libraryCurrent, libraryInfo, libraryList } from './library-list.js'
import { libraryClose, libraryCreate, libraryOpen, librarySwitch } from './library-open.js'
import { locationAdd } from './location-add.js'
import { locationRemove, locationRescan, locationUpdate } from './location-change.js'
import { locationList } from './location-list.js'
import { monitor } from './monitor.js'
import { networkAccept, networkDecline } from './network-accept.js'
import { networkDevices, networkRename, networkRevoke } from './network-devices.js'
import { networkGrant, networkGrants, networkUngrant } from './network-grant.js'
import { networkInit } from './network-init.js'
import { networkLimit } from './network-limit.js'
import { networkMessages } from './network-messages.js'
import { networkOffers } from './network-offers.js'
import { networkPair } from './network-pair.js'
import { networkPairGenerate } from './network-pair-generate.js'
import { networkPairJoin } from './network-pair-join.js'
import { networkPairCancel, networkPairConfirm, networkPairStatus } from './network-pair-status.js'
import { networkStart, networkStop } from './network-power.js'
import { networkRules } from './network-rules.js'
import { networkSendMessage } from './network-send-message.js'
import { networkSpacedrop } from './network-spacedrop.js'
import { networkStatus } from './network-status.js'
import { scan } from './scan.js'
import { searchFiles } from './search.js'
import { syncAdd } from './sync-add.js'
import { syncConflicts, syncResolve } from './sync-conflicts.js'
import { syncList, syncRemove } from './sync-list.js'
import { syncPause, syncResume } from './sync-pause.js'
import { syncPlan } from './sync-plan.js'
import { syncAccept, syncAllow, syncDecline, syncRequests } from './sync-requests.js'
import { syncRestore } from './sync-restore.js'
import { syncRule, syncRules, syncUnrule } from './sync-rules.js'
import { syncRun } from './sync-run.js'
import { syncStatus } from './sync-status.js'
import { syncUndo } from './sync-undo.js'
import { syncVersions } from './sync-versions.js'
import { syncWhy } from './sync-why.js'
import { systemAudit } from './system-audit.js'
import { systemStatus } from './system-status.js'
import { systemStop } from './system-stop.js'
import { tagAdd, tagList, tagRemove, tagRename } from './tags.js'
import { volumeInfo } from './volume-info.js'
import { volumeList } from './volume-list.js'
import { volumeSpeedTest } from './volume-speed-test.js'
import { volumeTrack } from './volume-track.js'

// biome-ignore format: one line each, so that two who add one do not collide
export const operations = [
  fileList,
  fileInfo,
  fileCopy,
  fileMove,
  fileAnswer,
  fileNote,
  fileDelete,
  fileDuplicates,
  fileValidate,
  fileTrashEmpty,
  fileTrashList,
  fileTrashRestore,
  syncAccept,
  syncAdd,
  syncAllow,
  syncConflicts,
  syncDecline,
  syncList,
  syncPause,
  syncPlan,
  syncRemove,
  syncRequests,
  syncResolve,
  syncRestore,
  syncResume,
  syncRule,
  syncRules,
  syncRun,
  syncStatus,
  syncUndo,
  syncUnrule,
  syncVersions,
  syncWhy,
  scan,
  searchFiles,
  indexQuickScan,
  indexBrowse,
  indexLocation,
  tagAdd,
  tagRemove,
  tagList,
  tagRename,
  labelAdd,
  labelRemove,
  labelList,
  labelRename,
  libraryCreate,
  libraryList,
  libraryOpen,
  librarySwitch,
  libraryCurrent,
  libraryClose,
  libraryDelete,
  libraryInfo,
  libraryCheck,
  libraryBackup,
  libraryRebuild,
  locationAdd,
  locationList,
  locationRemove,
  locationRescan,
  locationUpdate,
  jobList,
  jobInfo,
  jobMonitor,
  jobPause,
  jobResume,
  jobCancel,
  jobKinds,
  jobDispatch,
  monitor,
  systemAudit,
  systemConfirm,
  systemStatus,
  systemStop,
  configList,
  configGet,
  configSet,
  configPath,
  networkInit,
  networkStart,
  networkStop,
  networkStatus,
  networkDevices,
  networkRename,
  networkRevoke,
  networkPair,
  networkPairGenerate,
  networkPairJoin,
  networkPairStatus,
  networkPairConfirm,
  networkPairCancel,
  networkSpacedrop,
  networkOffers,
  networkAccept,
  networkDecline,
  networkRules,
  networkGrant,
  networkGrants,
  networkUngrant,
  networkLimit,
  networkSendMessage,
  networkMessages,
  volumeList,
  volumeInfo,
  volumeTrack,
  volumeSpeedTest
] as const
