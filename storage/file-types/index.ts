/**
 * What kind of file something is: one of the seventeen kinds, and its MIME type. `typeOfName` by the name alone;
 * `detectFileType` by the head of the content first (magic bytes by the package file-type, then our own look whether it is
 * text), and by the name where the content does not tell. The name's MIME type comes from the package mime.
 */
export { detectFileType, type FileType, HEAD_BYTES, mimeOfFile, typeOfName } from './detect.js'
export { extensionOf, kindOfName } from './kinds.js'
export { type MediaFacts, readMediaFacts } from './media.js'
export { analyseText, type TextFacts } from './text.js'
