import type { ContentKind } from '../entries/index.js'

/** Which of the seventeen kinds an extension means, lower case without the dot. What bytes a file begins with decides over this. */
const BY_KIND: Partial<Record<ContentKind, string>> = {
  image:
    'jpg jpeg jpe jfif png apng gif webp avif heic heif hif bmp dib tif tiff ico icns svg svgz psd psb xcf kra raw arw cr2 cr3 crw dng nef nrw orf pef raf rw2 sr2 srw x3f 3fr erf jxl jp2 j2k jpx exr hdr tga pcx pbm pgm ppm pnm xbm xpm dds ai eps',
  video: 'mp4 m4v mov qt mkv webm avi wmv flv f4v mpg mpeg mpe m2v m2ts vob ogv 3gp 3g2 asf rm rmvb divx mxf dv',
  audio:
    'mp3 m4a m4b aac flac wav wave aiff aif aifc ogg oga opus wma alac ape wv mka mid midi amr au snd caf dsf dff tta ac3 dts ra mod xm s3m it',
  document:
    'pdf doc docx docm dot dotx odt ott rtf pages xls xlsx xlsm xlsb ods ots numbers ppt pptx pptm pps ppsx odp otp odg vsd vsdx tex ps djvu djv xps oxps wpd wps one',
  archive:
    'zip tar gz tgz bz2 tbz tbz2 xz txz zst tzst lz lzma lz4 br 7z rar cab iso img dmg jar war ear deb rpm apk aab ipa xpi crx snap flatpak cpio ar z arj lha lzh squashfs wim vhd vhdx vmdk qcow2',
  code: 'js mjs cjs jsx ts mts cts tsx py pyi pyw rb rs go java kt kts scala c h cc cpp cxx hpp hh hxx cs fs fsx vb swift m mm php pl pm lua r jl dart ex exs erl hrl hs lhs ml mli clj cljs cljc lisp el scm rkt groovy gradle sh bash zsh fish ps1 psm1 bat cmd asm s v sv vhdl sql html htm xhtml css scss sass less vue svelte astro wat glsl hlsl vert frag comp cu cl proto thrift graphql gql cmake mk makefile dockerfile tf nix zig nim d pas f f90 f95 for cob sol coffee awk sed ipynb jsp asp aspx erb ejs hbs twig jinja j2',
  text: 'txt text md markdown mdx rst adoc asciidoc org log csv tsv nfo srt vtt ass ssa sub diff patch po pot me readme license authors changelog todo bib ics vcf eml mbox',
  database: 'db db3 sqlite sqlite3 sqlitedb mdb accdb dbf gdb fdb realm ldb frm myd myi ibd parquet',
  book: 'epub mobi azw azw3 kfx fb2 lit cbz cbr cb7 cbt prc',
  font: 'ttf otf ttc otc woff woff2 eot pfb pfm afm bdf pcf fon',
  mesh: 'obj stl ply fbx gltf glb dae 3ds blend max c4d 3mf usd usda usdc usdz step stp iges igs x3d wrl abc',
  config:
    'json json5 jsonc yaml yml toml ini cfg conf config properties env plist xml xsd xsl xslt desktop service editorconfig gitignore gitattributes npmrc lock rc reg inf manifest webmanifest',
  encrypted: 'gpg pgp age enc aes vault kdbx kdb axx hc tc luks bcup',
  key: 'pem key pub crt cer der p12 pfx p7b p7c p8 csr jks keystore asc ppk ovpn gnupg',
  executable: 'exe msi dll com scr sys app appimage run elf so dylib o out ko',
  binary: 'bin dat pyc pyo class wasm rom pak pck cache idx pack mo gmo swp'
}

/** Whole names that say more than an extension. */
const BY_NAME: ReadonlyMap<string, ContentKind> = table({
  makefile: 'code',
  gnumakefile: 'code',
  dockerfile: 'code',
  containerfile: 'code',
  jenkinsfile: 'code',
  vagrantfile: 'code',
  rakefile: 'code',
  gemfile: 'code',
  procfile: 'config',
  readme: 'text',
  license: 'text',
  licence: 'text',
  copying: 'text',
  copyright: 'text',
  authors: 'text',
  changelog: 'text',
  news: 'text',
  todo: 'text',
  install: 'text',
  id_rsa: 'key',
  id_ed25519: 'key',
  id_ecdsa: 'key',
  authorized_keys: 'key',
  known_hosts: 'key',
  '.bashrc': 'config',
  '.zshrc': 'config',
  '.profile': 'config',
  '.vimrc': 'config',
  '.env': 'config'
})

const BY_EXTENSION: ReadonlyMap<string, ContentKind> = new Map(
  Object.entries(BY_KIND).flatMap(([kind, list]) => list.split(' ').map(ext => [ext, kind as ContentKind] as const))
)

/** Lower case, without the dot; empty when there is none. A leading dot is none: `.bashrc` has no extension. */
export function extensionOf(name: string): string {
  const at = name.lastIndexOf('.')
  return at <= 0 || at === name.length - 1 ? '' : name.slice(at + 1).toLowerCase()
}

export function kindOfName(name: string): ContentKind | undefined {
  return BY_NAME.get(name.toLowerCase()) ?? BY_EXTENSION.get(extensionOf(name))
}

/** The kind behind a MIME type found by magic bytes. */
export function kindOfMime(mime: string): ContentKind {
  const exact = BY_MIME.get(mime)
  if (exact !== undefined) return exact
  const [top = '', sub = ''] = mime.split('/')
  if (top === 'image' || top === 'video' || top === 'audio' || top === 'font') return top
  if (top === 'model') return 'mesh'
  if (top === 'text') return 'text'
  if (/opendocument|officedocument|msword|ms-excel|ms-powerpoint|pdf|rtf/.test(sub)) return 'document'
  if (/zip|compressed|tar|archive|rar|7z|bzip|x-xz|zstd|lz/.test(sub)) return 'archive'
  return 'binary'
}

const BY_MIME: ReadonlyMap<string, ContentKind> = table({
  'application/pdf': 'document',
  'application/postscript': 'document',
  'application/rtf': 'document',
  'application/x-cfb': 'document',
  'application/epub+zip': 'book',
  'application/x-mobipocket-ebook': 'book',
  'application/vnd.sqlite3': 'database',
  'application/x-sqlite3': 'database',
  'application/vnd.ms-fontobject': 'font',
  'application/x-msdownload': 'executable',
  'application/x-elf': 'executable',
  'application/x-mach-binary': 'executable',
  'application/x-msi': 'executable',
  'application/wasm': 'binary',
  'application/java-vm': 'binary',
  'application/xml': 'config',
  'application/json': 'config',
  'application/pgp-encrypted': 'encrypted',
  'application/x-age-encryption': 'encrypted',
  'application/vnd.debian.binary-package': 'archive',
  'application/x-deb': 'archive',
  'application/x-rpm': 'archive',
  'application/mxf': 'video',
  'application/ogg': 'audio',
  'application/x-blender': 'mesh',
  'application/x-apple-diskimage': 'archive',
  'application/vnd.ms-cab-compressed': 'archive'
})

/** A Map, since names come from outside: `__proto__` is a file name like any other. */
function table(entries: Record<string, ContentKind>): ReadonlyMap<string, ContentKind> {
  return new Map(Object.entries(entries))
}
